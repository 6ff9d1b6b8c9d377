#![cfg_attr(fuzzing, no_main)]

daypass_fuzz::target!(prove_personas);
