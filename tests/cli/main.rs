//! The program as a user meets it: arguments, exit status, output. What rules find is tested beside them.

mod analyze;
mod api;
mod check_inject;
mod cluster;
mod config;
mod explain;
mod formats;
mod harness;
mod inject;
mod inject_cluster;
mod injector;
mod injector_support;
mod meta;
mod precheck;
mod precheck_faults;
mod proxies;
mod proxy_files;
mod real;
