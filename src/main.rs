//! The commands are not wired yet.

fn main() {}
