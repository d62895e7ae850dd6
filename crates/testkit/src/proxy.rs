//! A TCP proxy that stands between a client and a real server and breaks on purpose: it cuts, delays, and swallows
//! replies, so that the server has done what the client never hears of.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What the proxy does to traffic from now on, on old connections and new ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Everything goes through.
    None,
    /// Requests go through, replies are thrown away; a connection that lost a reply stays silent for good.
    SwallowReplies,
    /// Replies come this much later.
    DelayReplies(Duration),
    /// Connections are cut, and new ones as soon as they are made.
    Cut,
}

/// A proxy on a free port; ends when dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    upstream: SocketAddr,
    fault: Fault,
    closed: bool,
    connections: Vec<TcpStream>,
}

// === impl Proxy ===

impl Proxy {
    /// Starts a proxy in front of `upstream`, a `host:port` with a literal address.
    ///
    /// # Errors
    /// If the address can't be read or no port is free.
    pub fn start(upstream: &str) -> io::Result<Self> {
        let upstream = upstream.parse().map_err(io::Error::other)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let state = State { upstream, fault: Fault::None, closed: false, connections: Vec::new() };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let listener = thread::Builder::new().name("proxy".into()).spawn({
            let shared = shared.clone();
            move || shared.listen(&listener)
        })?;
        Ok(Self { address, shared, listener: Some(listener) })
    }

    /// Where clients connect to, `host:port`.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Turns to another server, as after a failover: connections are cut, new ones lead there.
    ///
    /// # Errors
    /// If the address can't be read.
    pub fn turn_to(&self, upstream: &str) -> io::Result<()> {
        let upstream = upstream.parse().map_err(io::Error::other)?;
        let mut state = self.shared.state();
        state.upstream = upstream;
        state.cut();
        Ok(())
    }

    /// Breaks, or mends, from now on.
    pub fn set(&self, fault: Fault) {
        let mut state = self.shared.state();
        state.fault = fault;
        if fault == Fault::Cut {
            state.cut();
        }
        self.shared.changed.notify_all();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.closed = true;
        state.cut();
        drop(state);
        self.shared.changed.notify_all();
        // The listener waits for a connection: here is one.
        let _ = TcpStream::connect(self.address);
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

// === impl Shared ===

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(self: &Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming() {
            if self.state().closed {
                return;
            }
            let accepted = client.and_then(|client| self.accept(client));
            // A client that can't be served sees its connection closed.
            drop(accepted);
        }
    }

    fn accept(self: &Arc<Self>, client: TcpStream) -> io::Result<()> {
        let upstream = self.state().upstream;
        let server = TcpStream::connect(upstream)?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let mut state = self.state();
        state.connections.extend([client.try_clone()?, server.try_clone()?]);
        if state.fault == Fault::Cut {
            state.cut();
        }
        drop(state);
        let (from_client, to_client) = (client.try_clone()?, client);
        let (from_server, to_server) = (server.try_clone()?, server);
        let shared = self.clone();
        thread::Builder::new()
            .name("proxy requests".into())
            .spawn(move || pump(from_client, to_server, || true))?;
        thread::Builder::new().name("proxy replies".into()).spawn(move || {
            let mut lost = false;
            pump(from_server, to_client, || {
                lost = lost || !shared.lets_through();
                !lost
            });
        })?;
        Ok(())
    }

    /// Waits as long as the fault says; false: the reply is lost.
    fn lets_through(&self) -> bool {
        let state = self.state();
        match state.fault {
            Fault::None => true,
            Fault::SwallowReplies | Fault::Cut => false,
            Fault::DelayReplies(delay) => {
                let waits = |state: &mut State| !state.closed && state.fault != Fault::Cut;
                let waited = self.changed.wait_timeout_while(state, delay, waits);
                let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
                state.fault != Fault::Cut
            }
        }
    }
}

// === impl State ===

impl State {
    fn cut(&mut self) {
        for connection in self.connections.drain(..) {
            // It may be gone already.
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

/// Copies until one side ends, then ends the other; what `lets_through` refuses is read and thrown away.
fn pump(mut from: TcpStream, mut to: TcpStream, mut lets_through: impl FnMut() -> bool) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count) = from.read(&mut buffer) {
        if count == 0 || (lets_through() && to.write_all(&buffer[..count]).is_err()) {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    /// A server that answers every byte with the same byte, and tells what it got.
    fn echo() -> (String, std::sync::mpsc::Receiver<u8>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (sender, got) = std::sync::mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, sender) = (stream.unwrap(), sender.clone());
                thread::spawn(move || {
                    let mut byte = [0];
                    while let Ok(1) = stream.read(&mut byte) {
                        sender.send(byte[0]).unwrap();
                        stream.write_all(&byte).unwrap();
                    }
                });
            }
        });
        (address, got)
    }

    fn client(proxy: &Proxy) -> TcpStream {
        let client = TcpStream::connect(proxy.address()).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        client
    }

    fn ask(client: &mut TcpStream, byte: u8) -> io::Result<u8> {
        let mut answer = [0];
        client.write_all(&[byte])?;
        client.read_exact(&mut answer)?;
        Ok(answer[0])
    }

    #[test]
    fn a_swallowed_reply_was_still_a_request() {
        let (upstream, got) = echo();
        let proxy = Proxy::start(&upstream).unwrap();
        let mut one = client(&proxy);
        assert_eq!(ask(&mut one, 7).unwrap(), 7);
        proxy.set(Fault::SwallowReplies);
        assert!(ask(&mut one, 8).is_err());
        assert_eq!([got.recv().unwrap(), got.recv().unwrap()], [7, 8], "the server got both");
        proxy.set(Fault::None);
        assert!(ask(&mut one, 9).is_err(), "answers never shift to another's request");
        assert_eq!(ask(&mut client(&proxy), 10).unwrap(), 10);
    }

    #[test]
    fn a_delayed_reply_comes_later() {
        let (upstream, _got) = echo();
        let proxy = Proxy::start(&upstream).unwrap();
        proxy.set(Fault::DelayReplies(Duration::from_millis(50)));
        let begun = Instant::now();
        assert_eq!(ask(&mut client(&proxy), 7).unwrap(), 7);
        assert!(begun.elapsed() >= Duration::from_millis(50));
    }

    #[test]
    fn a_turn_cuts_and_leads_elsewhere() {
        let ((one, _its), (other, got)) = (echo(), echo());
        let proxy = Proxy::start(&one).unwrap();
        let mut old = client(&proxy);
        assert_eq!(ask(&mut old, 7).unwrap(), 7);
        proxy.turn_to(&other).unwrap();
        assert!(ask(&mut old, 8).is_err());
        assert_eq!(ask(&mut client(&proxy), 9).unwrap(), 9);
        assert_eq!(got.recv().unwrap(), 9);
    }

    #[test]
    fn a_cut_ends_old_connections_and_new_ones() {
        let (upstream, _got) = echo();
        let proxy = Proxy::start(&upstream).unwrap();
        let mut old = client(&proxy);
        assert_eq!(ask(&mut old, 7).unwrap(), 7);
        proxy.set(Fault::Cut);
        assert!(ask(&mut old, 8).is_err());
        assert!(ask(&mut client(&proxy), 8).is_err());
        proxy.set(Fault::None);
        assert_eq!(ask(&mut client(&proxy), 9).unwrap(), 9);
    }
}
