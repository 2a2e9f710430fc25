// Loaded before ecovacs-deebot (node --require): does for one process what the DNS of a home
// does for all of it.  The client goes on asking for the vendor's names, verifies the server
// under them, and reaches BUMPER_WEB_TLS in place of port 443, BUMPER_MQTT_TLS in place of
// 8883, BUMPER_XMPP in place of 5223.  Any other destination is refused, so that a test can not
// talk to the internet.
//
// One package that the client's XMPP library asks for is in no registry: reconnect_core.js is
// found in its place.
'use strict';

const dns = require('dns');
const Module = require('module');
const net = require('net');
const path = require('path');

const HERE = '127.0.0.1';
const VENDOR = /(^|\.)(ecouser|ecovacs)\.(net|com|cn)$/;
const PORTS = new Map([
  [443, Number(process.env.BUMPER_WEB_TLS)],
  [8883, Number(process.env.BUMPER_MQTT_TLS)],
  [5223, Number(process.env.BUMPER_XMPP)],
]);
const OURS = path.join(__dirname, 'reconnect_core.js');

const load = Module._load;

Module._load = function (name, ...rest) {
  return load.call(this, name === 'reconnect-core' ? OURS : name, ...rest);
};

const connect = net.Socket.prototype.connect;

function here(_name, options, callback) {
  dns.lookup(HERE, options, callback);
}

net.Socket.prototype.connect = function (...args) {
  const wanted = typeof args[0] === 'object' ? args : [{ port: args[0], host: args[1] }];
  // net.connect hands over its arguments normalized: an array within the array.
  const target = Array.isArray(wanted[0]) ? wanted[0][0] : wanted[0];
  const port = PORTS.get(Number(target.port));
  if (!VENDOR.test(target.host || '') || port === undefined) {
    throw new Error(`${target.host}:${target.port} is none of the vendor's`);
  }
  // The name itself stays: it is what the certificate is verified against.
  Object.assign(target, { port, lookup: here });
  return connect.apply(this, wanted);
};
