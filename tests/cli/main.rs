//! The program as a user meets it: arguments, exit status, output. What rules find is tested beside them.

mod analyze;
mod api;
#[cfg(unix)]
mod canary;
mod canary_e2e;
mod canary_files;
mod canary_others;
mod canary_prometheus;
mod canary_support;
mod check_inject;
mod cluster;
mod config;
mod explain;
mod fault_proxy;
mod formats;
#[cfg(unix)]
mod front;
mod harness;
mod inject;
mod inject_cluster;
#[cfg(unix)]
mod injector;
#[cfg(unix)]
mod injector_support;
mod install;
mod installer;
mod manifest;
mod meta;
#[cfg(unix)]
mod operator;
mod precheck;
mod precheck_faults;
mod profiles;
mod proxies;
mod proxy_files;
mod real;
#[cfg(unix)]
mod service;
mod terminal;
