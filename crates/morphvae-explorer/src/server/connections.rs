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
const LONGEST_HEAD: Duration = Duration::from_secs(10);

/// How long a client may take nothing of what is sent to it.
const LONGEST_SILENCE: Duration = Duration::from_secs(20);

/// Bytes of a request's head, at most.
const LARGEST_HEAD: usize = 64 << 10;

/// How long answers that are under way may take when the server stops: whoever pressed Ctrl-C waits.
const FAREWELL: Duration = Duration::from_millis(200);

/// Serves until `stopped` says so.
pub(super) async fn serve(listener: std::net::TcpListener, routes: Router, mut stopped: watch::Receiver<bool>) {
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
                    answer(stream, routes, stopped).await;
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
async fn answer(stream: TcpStream, routes: Router, mut stopped: watch::Receiver<bool>) {
    // Answers are small and wanted at once.
    let _ = stream.set_nodelay(true);
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(LONGEST_HEAD)
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
    use std::io::ErrorKind;
    use tokio::io::AsyncWrite;

    #[test]
    fn a_client_that_reads_nothing_is_given_up() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let error = runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let _silent = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
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
