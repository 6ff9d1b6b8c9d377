#![cfg_attr(fuzzing, no_main)]

daypass_fuzz::target!(aws_query_form);
