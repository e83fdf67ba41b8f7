//! Placeholder until its first code.
