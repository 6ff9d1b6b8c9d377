#![cfg_attr(fuzzing, no_main)]

daypass_fuzz::target!(secret_listings);
