//! `daypass demo`: the whole story, told by real parts on this machine, every step checked.

mod article;
mod chapters;
mod stage;
mod teller;

use clap::Args;

use self::stage::Stage;
use self::teller::Teller;
use crate::failure::Result;
use crate::output::Output;

/// Tells the whole story on this machine, in a few seconds, and checks every step.
///
/// A CI platform issues a token for a job; the token is verified, a strict trust policy decides on its claims, a credential
/// for minutes comes back, and the decision is on record. Then everything that must be refused is tried. All parts are real,
/// but the CI platforms, which are played on loopback; nothing is left behind. Exits 1 if a step does not do what it should.
#[derive(Debug, Args)]
pub(crate) struct Arguments {}

pub(crate) async fn run(_: Arguments, output: &Output) -> Result {
    let mut teller = Teller::new(output);
    let stage = Stage::set().await?;
    let told = tell(&stage, &mut teller).await;
    // Whatever happened on it, the stage is taken down.
    let cleared = stage.clear().await;
    told?;
    cleared?;
    teller.finish()
}

async fn tell(stage: &Stage, teller: &mut Teller<'_>) -> Result<()> {
    chapters::platform::tell(stage, teller).await?;
    chapters::exchange::tell(stage, teller).await?;
    chapters::refusals::tell(stage, teller).await?;
    article::tell(stage, teller).await?;
    chapters::record::tell(stage, teller).await
}
