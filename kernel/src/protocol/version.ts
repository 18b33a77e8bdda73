// The version of the messages between kernel and host. Both come from one checkout, so a difference means a host that
// was not started by this kernel: the handshake refuses it.
export const protocolVersion = 1
