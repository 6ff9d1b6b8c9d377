#![cfg_attr(fuzzing, no_main)]

daypass_fuzz::target!(sources_cloudformation);
