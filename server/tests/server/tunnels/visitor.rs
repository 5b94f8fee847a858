//! The socket of shell pages.

use std::collections::VecDeque;

use futures_util::{SinkExt, StreamExt};
use protocol::signaling::Signal;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tunnel::control::{PeerMessage, ToPeer, ToVisitor, VisitorMessage, parse, to_text};
use tunnel::head::{Kind, RequestHead};
use tunnel::multiplexer::{Event, Limits, Multiplexer, Refusal};

use super::browser::{Browser, TIMEOUT};
use super::{Secrets, TunnelServer};

/// Shell page.
pub struct Page {
    pub socket: WebSocketStream<TcpStream>,
    pub multiplexer: Multiplexer,
    texts: VecDeque<ToVisitor>,
}

impl Page {
    pub async fn open(browser: &Browser, secrets: &Secrets) -> Self {
        let origin = browser.origin();
        let socket = browser.socket("/.gruppetto/socket", &origin, None).await;
        Self {
            socket: socket.expect("an upgrade").0,
            multiplexer: Multiplexer::visitor(Limits::default(), &secrets.token),
            texts: VecDeque::new(),
        }
    }

    /// Reads one message. Returns the close code at the end.
    async fn read(&mut self) -> Result<(), Option<u16>> {
        let message = timeout(TIMEOUT, self.socket.next()).await.expect("in time");
        match message {
            Some(Ok(Message::Text(text))) => {
                self.texts.push_back(parse(&text).expect("a message"));
            }
            Some(Ok(Message::Binary(frame))) => {
                self.multiplexer
                    .receive(&frame)
                    .expect("a frame of the protocol");
                self.flush().await;
            }
            Some(Ok(Message::Close(frame))) => return Err(frame.map(|it| it.code.into())),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Err(None),
        }
        Ok(())
    }

    pub async fn close_code(&mut self) -> Option<u16> {
        loop {
            if let Err(code) = self.read().await {
                return code;
            }
        }
    }

    pub async fn text(&mut self) -> ToVisitor {
        loop {
            match self.texts.pop_front() {
                Some(text) => return text,
                None => self.read().await.expect("an open socket"),
            }
        }
    }

    pub async fn ready(&mut self) {
        while !matches!(self.text().await, ToVisitor::Ready { .. }) {}
    }

    pub async fn event(&mut self) -> Event {
        loop {
            match self.multiplexer.poll_event() {
                Some(event) => return event,
                None => self.read().await.expect("an open socket"),
            }
        }
    }

    pub async fn flush(&mut self) {
        while let Some(frame) = self.multiplexer.poll_message() {
            let _ = self.socket.send(Message::binary(frame)).await;
        }
    }

    pub async fn send(&mut self, message: &VisitorMessage) {
        let text = Message::text(to_text(message));
        self.socket.send(text).await.expect("sends");
    }

    /// Opens a request.
    pub async fn get(&mut self, target: &str) {
        let head = RequestHead {
            kind: Kind::Http,
            method: "GET".into(),
            target: target.into(),
            fields: Vec::new(),
        };
        let head = head.encode().expect("a head");
        self.multiplexer.open(&head, false).expect("a stream");
        self.flush().await;
    }

    /// Body of the response to the only request.
    pub async fn body(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            match self.event().await {
                Event::Data { stream, bytes } => {
                    self.multiplexer.consumed(stream, bytes.len());
                    body.extend(bytes);
                }
                Event::End { .. } => return body,
                _ => {}
            }
        }
    }
}

fn signal(sdp: &str) -> Signal {
    Signal::Offer {
        attempt: 1,
        sdp: sdp.into(),
    }
}

#[tokio::test]
async fn only_pages_of_the_tunnels_own_origin_may_open_the_socket() {
    let tunnels = TunnelServer::start(&[]).await;
    let browser = tunnels.browser(&Secrets::new(1));
    let other = tunnels.browser(&Secrets::new(2)).origin();
    for origin in ["https://evil.example", "null", other.as_str()] {
        let socket = browser.socket("/.gruppetto/socket", origin, None).await;
        let error = socket.expect_err("refused").to_string();
        assert!(error.contains("403"), "{error}");
    }
}

#[tokio::test]
async fn a_page_waits_for_the_peer_and_exchanges_frames_with_it() {
    let tunnels = TunnelServer::start(&[]).await;
    let secrets = Secrets::new(1);
    let browser = tunnels.browser(&secrets);
    let mut page = Page::open(&browser, &secrets).await;
    assert!(matches!(page.text().await, ToVisitor::Offline));
    let mut peer = tunnels.peer(&secrets).await;
    match page.text().await {
        ToVisitor::Ready { name, ice_servers } => {
            assert_eq!(name, "Route videos");
            assert!(ice_servers.is_empty());
        }
        other => panic!("expected ready: {other:?}"),
    }
    page.get("/videos").await;
    let ((id, head), event) = tokio::join!(peer.request(), page.event());
    assert_eq!((head.target.as_str(), event), ("/videos", Event::Accepted));
    peer.answer(id, "content").await;
    assert_eq!(page.body().await, b"content");
}

#[tokio::test]
async fn a_page_gets_a_new_channel_when_the_peer_comes_back() {
    let tunnels = TunnelServer::start(&[]).await;
    let secrets = Secrets::new(1);
    let peer = tunnels.peer(&secrets).await;
    let browser = tunnels.browser(&secrets);
    let mut page = Page::open(&browser, &secrets).await;
    page.ready().await;
    page.get("/1").await;
    drop(peer);
    loop {
        if matches!(page.text().await, ToVisitor::Offline) {
            break;
        }
    }
    let mut peer = tunnels.peer(&secrets).await;
    page.ready().await;
    // Frames of the channel before are dropped.
    page.get("/2").await;
    page.multiplexer = Multiplexer::visitor(Limits::default(), &secrets.token);
    page.get("/3").await;
    let ((id, head), event) = tokio::join!(peer.request(), page.event());
    assert_eq!((head.target.as_str(), event), ("/3", Event::Accepted));
    peer.answer(id, "back").await;
    assert_eq!(page.body().await, b"back");
}

#[tokio::test]
async fn signals_go_both_ways_to_the_right_page() {
    let tunnels = TunnelServer::start(&[]).await;
    let secrets = Secrets::new(1);
    let mut peer = tunnels.peer(&secrets).await;
    let browser = tunnels.browser(&secrets);
    let mut ana = Page::open(&browser, &secrets).await;
    ana.ready().await;
    let mut ben = Page::open(&browser, &secrets).await;
    ben.ready().await;
    ben.send(&VisitorMessage::Signal {
        signal: signal("of ben"),
    })
    .await;
    let of_ben = peer.text(|it| matches!(it, ToPeer::Signal { .. })).await;
    let ToPeer::Signal {
        visitor,
        signal: got,
    } = of_ben
    else {
        unreachable!("as asked for");
    };
    assert_eq!(got, signal("of ben"));
    let answer = PeerMessage::Signal {
        visitor,
        signal: signal("for ben"),
    };
    peer.send(&answer).await.expect("sends");
    match ben.text().await {
        ToVisitor::Signal { signal: got } => assert_eq!(got, signal("for ben")),
        other => panic!("expected a signal: {other:?}"),
    }
    ana.send(&VisitorMessage::Ping).await;
    assert!(matches!(ana.text().await, ToVisitor::Pong), "and no signal");
}

#[tokio::test]
async fn a_page_that_goes_is_gone_for_the_peer_and_the_peer_may_close_one() {
    let tunnels = TunnelServer::start(&[]).await;
    let secrets = Secrets::new(1);
    let mut peer = tunnels.peer(&secrets).await;
    let browser = tunnels.browser(&secrets);
    let mut ana = Page::open(&browser, &secrets).await;
    ana.ready().await;
    let ToPeer::Visitor { visitor } = peer.text(|it| matches!(it, ToPeer::Visitor { .. })).await
    else {
        unreachable!("as asked for");
    };
    let ben = Page::open(&browser, &secrets).await;
    drop(ben);
    let gone = peer.text(|it| matches!(it, ToPeer::Gone { .. })).await;
    assert!(
        matches!(gone, ToPeer::Gone { visitor: it } if it != visitor),
        "{gone:?}"
    );
    peer.send(&PeerMessage::Close { visitor })
        .await
        .expect("sends");
    assert_eq!(ana.close_code().await, Some(4000));
}

#[tokio::test]
async fn a_page_with_a_wrong_token_is_refused_by_the_peer() {
    let tunnels = TunnelServer::start(&[]).await;
    let secrets = Secrets::new(1);
    let mut peer = tunnels.peer(&secrets).await;
    let wrong = Secrets {
        token: Secrets::new(2).token,
        ..secrets.clone()
    };
    let browser = tunnels.browser(&secrets);
    let mut page = Page::open(&browser, &wrong).await;
    page.ready().await;
    page.get("/secret").await;
    let reading = tokio::spawn(async move { while peer.read().await.is_some() {} });
    assert_eq!(page.event().await, Event::Refused(Refusal::Forbidden));
    reading.abort();
}

#[tokio::test]
async fn a_tunnel_has_a_maximum_of_visitors_and_an_address_has_half_of_it() {
    let tunnels = TunnelServer::start(&["--max-tunnel-visitors", "8"]).await;
    let (_peer, browser) = tunnels.pair(1).await;
    let secrets = Secrets::new(1);
    let mut pages = Vec::new();
    for _ in 0..4 {
        let mut page = Page::open(&browser, &secrets).await;
        page.ready().await;
        pages.push(page);
    }
    let mut last = Page::open(&browser, &secrets).await;
    assert_eq!(last.close_code().await, Some(1013));
    // Requests that the server passes on count as a visitor, too.
    assert_eq!(browser.get("/").await.status(), 503);
}

#[tokio::test]
async fn a_page_that_does_not_begin_its_channel_is_closed() {
    let tunnels = TunnelServer::start(&["--hello-timeout-ms", "1000"]).await;
    let secrets = Secrets::new(1);
    let browser = tunnels.browser(&secrets);
    // While no peer is there, it need not.
    let mut page = Page::open(&browser, &secrets).await;
    assert!(matches!(page.text().await, ToVisitor::Offline));
    let _peer = tunnels.peer(&secrets).await;
    page.ready().await;
    assert_eq!(page.close_code().await, Some(1008));
}
