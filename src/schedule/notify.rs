//! Tells systemd how the service stands (`Type=notify`): one datagram, nothing where nobody asked for it.

/// Sends a state such as `READY=1`. A supervisor that cannot be told will notice by its own time-outs.
#[cfg(unix)]
pub(super) fn tell(state: &str) {
    use std::os::unix::net::UnixDatagram;

    let Some(address) = std::env::var_os("NOTIFY_SOCKET").filter(|path| !path.is_empty()) else {
        return;
    };
    let sent = UnixDatagram::unbound().and_then(|socket| send(&socket, state, &address));
    if let Err(error) = sent {
        tracing::warn!(%error, "the supervisor could not be told how the service stands");
    }
}

#[cfg(unix)]
fn send(
    socket: &std::os::unix::net::UnixDatagram,
    state: &str,
    address: &std::ffi::OsStr,
) -> std::io::Result<usize> {
    use std::os::unix::ffi::OsStrExt;

    // A name that begins with @ is no file, which only Linux has.
    #[cfg(target_os = "linux")]
    if let Some(name) = address.as_bytes().strip_prefix(b"@") {
        use std::os::linux::net::SocketAddrExt;
        let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
        return socket.send_to_addr(state.as_bytes(), &address);
    }
    socket.send_to(state.as_bytes(), address)
}

#[cfg(not(unix))]
pub(super) fn tell(_state: &str) {}
