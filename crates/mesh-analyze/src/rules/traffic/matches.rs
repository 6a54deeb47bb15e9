//! When one match takes everything that another would take.
