#![cfg_attr(fuzzing, no_main)]

daypass_fuzz::target!(policy_azure);
