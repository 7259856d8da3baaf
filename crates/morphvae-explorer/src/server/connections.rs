//! Connections: so many at once, none of them idle for long.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutWriter;

/// Connections at once; those beyond wait in the system's queue.
const MOST: u32 = 256;

/// How long the head of a request may take to come, and a connection may wait for the next request.
pub(super) const LONGEST_HEAD: Duration = Duration::from_secs(10);

/// How long a client may take nothing of what is sent to it.
const LONGEST_SILENCE: Duration = Duration::from_secs(20);

/// Bytes of a request's head, at most.
const LARGEST_HEAD: usize = 64 << 10;

/// How long answers that are under way may take when the server stops: whoever pressed Ctrl-C waits.
const FAREWELL: Duration = Duration::from_millis(200);

/// Serves until `stopped` says so; the head of a request may take as long as `longest_head` to come.
pub(super) async fn serve(
    listener: std::net::TcpListener,
    routes: Router,
    longest_head: Duration,
    mut stopped: watch::Receiver<bool>,
) {
    // Only a system out of everything refuses this, and then there is nothing to serve with.
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    let permits = Arc::new(Semaphore::new(MOST as usize));
    loop {
        let accepted = async {
            let permit = Arc::clone(&permits).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = told(&mut stopped) => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let (routes, stopped) = (routes.clone(), stopped.clone());
                tokio::spawn(async move {
                    answer(stream, routes, longest_head, stopped).await;
                    drop(permit);
                });
            }
            // Too many open files, most likely: some will be closed soon.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
    drop(listener);
    let _ = timeout(FAREWELL, permits.acquire_many(MOST)).await;
}

/// Answers the requests of one connection. What goes wrong with it is its client's affair.
async fn answer(stream: TcpStream, routes: Router, longest_head: Duration, mut stopped: watch::Receiver<bool>) {
    // Answers are small and wanted at once.
    let _ = stream.set_nodelay(true);
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(longest_head)
        .max_buf_size(LARGEST_HEAD);
    let io = TokioIo::new(patient(stream, LONGEST_SILENCE));
    let mut connection = std::pin::pin!(server.serve_connection(io, TowerToHyperService::new(routes)));
    tokio::select! {
        _ = connection.as_mut() => return,
        () = told(&mut stopped) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(FAREWELL, connection).await;
}

/// A stream whose writes fail when the client has taken nothing for so long. (How long it may take to send is limited
/// elsewhere.)
fn patient(stream: TcpStream, longest: Duration) -> Pin<Box<TimeoutWriter<TcpStream>>> {
    let mut writer = TimeoutWriter::new(stream);
    writer.set_timeout(Some(longest));
    Box::pin(writer)
}

/// Ends when the server is to stop.
pub(super) async fn told(stopped: &mut watch::Receiver<bool>) {
    // Nobody left to say so is as good as being told.
    let _ = stopped.wait_for(|&stopped| stopped).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::io::{ErrorKind, Read, Write};
    use std::time::Instant;
    use tokio::io::AsyncWrite;
    use tokio::runtime::{Builder, Runtime};

    type Client = std::net::TcpStream;

    fn runtime() -> Runtime {
        Builder::new_current_thread().enable_all().build().unwrap()
    }

    #[test]
    fn clients_that_never_ask_are_sent_away_and_those_behind_them_answered() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        let routes = Router::new().route("/", axum::routing::get(|| async { "here" }));
        let longest_head = Duration::from_millis(500);
        let (stop, stopped) = watch::channel(false);
        let server = std::thread::spawn(move || runtime().block_on(serve(listener, routes, longest_head, stopped)));
        let connect = || Client::connect(address).unwrap();
        let ask = |mut client: &Client| client.write_all(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n").unwrap();
        let all_that_comes = |mut client: &Client| {
            let mut text = String::new();
            client.read_to_string(&mut text).unwrap();
            text
        };

        let begin = Instant::now();
        // One that asks once and keeps the connection.
        let idle = connect();
        ask(&idle);
        // More than there may be at once, of which one begins to ask.
        let silent: Vec<_> = (0..MOST + 44).map(|_| connect()).collect();
        (&silent[0]).write_all(b"GET / HTTP/1.1\r\nHost: ").unwrap();
        let last = connect();
        ask(&last);
        // Only when some have gone is there room for who comes last; they were given time.
        let mut answer = [0; 15];
        (&last).read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
        assert!(begin.elapsed() >= longest_head, "{:?}", begin.elapsed());
        assert!(all_that_comes(&idle).starts_with("HTTP/1.1 200 OK"));
        assert!(silent.iter().all(|client| all_that_comes(client).is_empty()));
        stop.send_replace(true);
        server.join().unwrap();
    }

    #[test]
    fn a_client_that_reads_nothing_is_given_up() {
        let error = runtime().block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let _silent = Client::connect(listener.local_addr().unwrap()).unwrap();
            let (stream, _) = listener.accept().await.unwrap();
            let mut patient = patient(stream, Duration::from_millis(100));
            // A pause between two answers is no lack of reading.
            sleep(Duration::from_millis(200)).await;
            let bytes = [0; 1 << 16];
            loop {
                // More than the system keeps for the client, sooner or later.
                if let Err(error) = poll_fn(|context| patient.as_mut().poll_write(context, &bytes)).await {
                    break error;
                }
            }
        });
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }
}
