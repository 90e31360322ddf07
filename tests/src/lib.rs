//! Nothing: this package is its test binary, `it`, and cargo wants a library or a program in every package.
