//! A PKI forge for tests.
