// Loaded before ecovacs-deebot (node --require): does for one process what the DNS of a home
// does for all of it.  The client goes on asking for the vendor's names, verifies the server
// under them, and reaches BUMPER_WEB_TLS in place of port 443, BUMPER_MQTT_TLS in place of
// 8883.  Any other destination is refused, so that a test can not talk to the internet.
'use strict';

const dns = require('dns');
const net = require('net');

const HERE = '127.0.0.1';
const VENDOR = /(^|\.)(ecouser|ecovacs)\.(net|com|cn)$/;
const PORTS = new Map([
  [443, Number(process.env.BUMPER_WEB_TLS)],
  [8883, Number(process.env.BUMPER_MQTT_TLS)],
]);

const connect = net.Socket.prototype.connect;

function here(_name, options, callback) {
  dns.lookup(HERE, options, callback);
}

net.Socket.prototype.connect = function (...args) {
  // net.connect hands over its arguments normalized: an array within the array.
  const target = Array.isArray(args[0]) ? args[0][0] : args[0];
  const port = PORTS.get(Number(target.port));
  if (!VENDOR.test(target.host || '') || port === undefined) {
    throw new Error(`${target.host}:${target.port} is none of the vendor's`);
  }
  // The name itself stays: it is what the certificate is verified against.
  Object.assign(target, { port, lookup: here });
  return connect.apply(this, args);
};
