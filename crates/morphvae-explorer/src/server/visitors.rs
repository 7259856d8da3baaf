//! Who may ask: pages that this server gave out, and nobody else's.
//!
//! Any page in the same browser can send requests to this computer. It cannot read the answers, unless its own name is
//! made to lead here (DNS rebinding); so a request must name this server as its host, and where it says which page it
//! comes from, that must be this server's too.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::answer::Refusal;

/// The names that this server goes by.
#[derive(Clone, Debug)]
pub(super) struct Visitors {
    /// Each with its port, lower case.
    hosts: Vec<String>,
    /// The port, where the server listens on every address of this computer: none of them is a name, so none can be made
    /// to lead here.
    any_address: Option<u16>,
}

impl Visitors {
    /// Of a server that was asked to serve at `host` and listens at `address`.
    pub fn of(host: &str, address: SocketAddr) -> Self {
        let (port, ip) = (address.port(), address.ip());
        let mut names = vec![host.to_ascii_lowercase(), ip.to_string()];
        if ip.is_loopback() || ip.is_unspecified() {
            names.extend(["localhost", "127.0.0.1", "::1"].map(String::from));
        }
        let bracketed = |name: String| if name.contains(':') { format!("[{name}]") } else { name };
        let with_port = |name: String| match port {
            // Browsers leave out the usual port.
            80 => vec![format!("{name}:80"), name],
            _ => vec![format!("{name}:{port}")],
        };
        Self {
            hosts: names.into_iter().map(bracketed).flat_map(with_port).collect(),
            any_address: ip.is_unspecified().then_some(port),
        }
    }

    fn is_here(&self, host: &str) -> bool {
        let address: Option<SocketAddr> = host.parse().ok();
        self.hosts.iter().any(|own| own.eq_ignore_ascii_case(host))
            || (self.any_address.is_some() && address.map(|address| address.port()) == self.any_address)
    }

    fn check(&self, request: &Request) -> Result<(), Refusal> {
        let misdirected = |name: &str| {
            let reason = format!("this server is not {name:?}: open the address that it printed");
            Refusal::new(StatusCode::MISDIRECTED_REQUEST, reason)
        };
        let headers = request.headers();
        let host = only(headers, header::HOST).ok_or_else(|| misdirected(""))?;
        for name in [
            Some(host),
            request.uri().authority().map(|authority| authority.as_str()),
        ] {
            if let Some(name) = name.filter(|name| !self.is_here(name)) {
                return Err(misdirected(name));
            }
        }
        let foreign = |page: &str| Refusal::new(StatusCode::FORBIDDEN, format!("requests of {page} are not answered"));
        if headers.contains_key(header::ORIGIN) {
            let origin = only(headers, header::ORIGIN).unwrap_or_default();
            let own = origin.strip_prefix("http://").is_some_and(|host| self.is_here(host));
            if !own {
                return Err(foreign(&format!("the page {origin:?}")));
            }
        }
        // Browsers say this of requests that carry no origin, such as those of an image or a script of another page.
        let site = headers.get("sec-fetch-site").map(|site| site.as_bytes());
        let is_foreign = !matches!(site, None | Some(b"same-origin" | b"none"));
        if is_foreign && request.uri().path() != "/" {
            return Err(foreign("other pages"));
        }
        Ok(())
    }
}

/// A header that stands there once.
fn only(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Lets nobody else in.
pub(super) async fn check(State(state): State<Arc<super::State>>, request: Request, next: Next) -> Response {
    match state.visitors.check(&request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitors(host: &str, address: &str) -> Visitors {
        Visitors::of(host, address.parse().unwrap())
    }

    #[test]
    fn a_local_server_goes_by_its_local_names_and_port_only() {
        let visitors = visitors("127.0.0.1", "127.0.0.1:7878");
        for own in ["127.0.0.1:7878", "localhost:7878", "LOCALHOST:7878", "[::1]:7878"] {
            assert!(visitors.is_here(own), "{own}");
        }
        for other in [
            "127.0.0.1",
            "127.0.0.1:80",
            "127.0.0.2:7878",
            "example.com:7878",
            "localhost.:7878",
            "",
        ] {
            assert!(!visitors.is_here(other), "{other}");
        }
    }

    #[test]
    fn the_usual_port_of_the_web_may_be_left_out() {
        let visitors = visitors("localhost", "127.0.0.1:80");
        assert!(visitors.is_here("localhost") && visitors.is_here("[::1]") && visitors.is_here("127.0.0.1:80"));
    }

    #[test]
    fn a_server_for_all_addresses_takes_addresses_but_no_names() {
        let visitors = visitors("0.0.0.0", "0.0.0.0:9000");
        assert!(visitors.is_here("192.168.1.7:9000") && visitors.is_here("[fe80::1]:9000"));
        assert!(!visitors.is_here("192.168.1.7:9001") && !visitors.is_here("rebound.example.com:9000"));
    }

    #[test]
    fn a_named_host_goes_by_its_name() {
        let visitors = visitors("Studio.local", "192.168.1.7:7878");
        assert!(visitors.is_here("studio.local:7878") && visitors.is_here("192.168.1.7:7878"));
        assert!(!visitors.is_here("localhost:7878") && !visitors.is_here("192.168.1.8:7878"));
    }
}
