// Stands for the package reconnect-core in the form node-xmpp-core needs, which is a tarball
// outside the registry: what the registry has under that name keeps its events to itself, and
// the XMPP library would never hear that it is connected.
//
// Only what is used of it: the connection gets connect, listen, end and disconnect, and is told
// what becomes of its socket.  What ends stays so; nothing here connects again.
'use strict';

module.exports = (createSocket) => ({ emitter }) => {
  let current;

  function ended(socket, error) {
    // A socket within TLS ends too, when nobody asks for it any more.
    if (socket === current && emitter.connected) {
      emitter.connected = false;
      emitter.emit('disconnect', error);
    }
  }

  function begun(socket) {
    emitter.connected = true;
    emitter.emit('connect', socket);
    emitter.emit('connection', socket);
  }

  function listen(...options) {
    emitter.emit('reconnect');
    const socket = createSocket(...options);
    current = socket;
    socket.on('connect', () => begun(socket));
    for (const end of ['error', 'close', 'end']) {
      socket.on(end, (error) => ended(socket, error));
    }
    return emitter;
  }

  function end() {
    emitter.reconnect = false;
    if (current) {
      current.end();
    }
    return emitter;
  }

  return Object.assign(emitter, { connected: false, connect: listen, listen, end, disconnect: end });
};
