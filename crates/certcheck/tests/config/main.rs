//! Settings: command line over environment over settings file over defaults, faults with their place, and how the program
//! writes.

mod home;
mod layers;
mod names;
mod output;
mod place;
