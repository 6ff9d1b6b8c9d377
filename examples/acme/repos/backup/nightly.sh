#!/bin/sh
# Copies the shop's dump to S3. The key is that of ci-deploy, "for the time being".
set -eu
export AWS_SHARED_CREDENTIALS_FILE=/etc/backup/credentials AWS_PROFILE=ci-deploy
aws s3 cp /var/backups/shop.sql.gz "s3://acme-backups/$(date +%F).sql.gz"
