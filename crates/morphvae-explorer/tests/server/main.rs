//! The server through real sockets, and the file that a page is exported to.

mod answers;
mod client;
mod hostile;
mod long;
mod network;
