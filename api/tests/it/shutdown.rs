//! How the server stops.

use crate::{
    harness::{Served, WORLD, soon},
    socket::{Client, LEGACY, TRANSPORT},
};

#[tokio::test]
async fn sockets_are_told_to_come_back_and_the_server_ends() {
    let served = Served::start().await;
    let mut clients = Vec::new();
    for protocol in [TRANSPORT, LEGACY] {
        clients.push(Client::begin(&served, protocol).await);
    }
    clients[0].subscribe("1", &format!("subscription {{ mapEvents(bbox: {WORLD}) {{ cursor }} }}")).await;
    // One that has not begun is told, too.
    clients.push(Client::connect(&served, TRANSPORT).await);
    let address = served.address;
    served.begin_stop();
    for client in &mut clients {
        assert_eq!(client.closed().await, 1001);
    }
    soon("the server ends", served.stop()).await.unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "nobody listens any more");
}
