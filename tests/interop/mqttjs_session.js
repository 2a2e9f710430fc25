// Clients made with MQTT.js, which do what they are told; mqtt_talk.py says what comes on
// standard input and what goes to standard output.
"use strict";

const fs = require("fs");
const mqtt = require("mqtt");
const readline = require("readline");

// Milliseconds anything may take.
const PATIENCE = 30000;

// What MQTT 5 says for a version that is not spoken, as MQTT 3.1.1 says it.
const CODES = new Map([[132, 1]]);

const NAMES = new Map([[3, "MQIsdp"], [4, "MQTT"], [5, "MQTT"]]);

// What has happened, and who waits for it.
class Queue {
    constructor() {
        this.items = [];
        this.waiting = [];
    }

    put(item) {
        const first = this.waiting.shift();
        if (first) {
            first(item);
        } else {
            this.items.push(item);
        }
    }

    get() {
        return new Promise((resolve, reject) => {
            if (this.items.length) {
                resolve(this.items.shift());
                return;
            }
            const late = setTimeout(() => reject(new Error("nothing came")), PATIENCE);
            this.waiting.push((item) => {
                clearTimeout(late);
                resolve(item);
            });
        });
    }
}

class Peer {
    constructor(asked) {
        this.connected = new Queue();
        this.granted = new Queue();
        this.heard = new Queue();
        this.closed = new Queue();
        this.client = mqtt.connect({
            protocol: asked.ca ? "mqtts" : "mqtt",
            host: asked.host,
            port: asked.port,
            ca: asked.ca ? [fs.readFileSync(asked.ca)] : undefined,
            clientId: asked.id,
            username: asked.user === null ? undefined : asked.user,
            password: asked.password === null ? undefined : asked.password,
            keepalive: asked.keep_alive,
            clean: asked.clean,
            will: asked.will || undefined,
            protocolId: NAMES.get(asked.level),
            protocolVersion: asked.level,
            reconnectPeriod: 0,
            resubscribe: false,
        });
        this.listen();
    }

    listen() {
        this.client.on("connect", (answer) => {
            this.sessionPresent = answer.sessionPresent;
            this.connected.put(0);
        });
        this.client.on("error", (error) => {
            const code = typeof error.code === "number" ? error.code : String(error);
            this.connected.put(CODES.has(code) ? CODES.get(code) : code);
        });
        // A refused filter is an error to the library, which says no more of the others.
        this.client.on("packetreceive", (packet) => {
            if (packet.cmd === "suback") {
                this.granted.put(packet.granted);
            }
        });
        this.client.on("message", (topic, payload, packet) => this.heard.put(
            { topic, payload: payload.toString(), qos: packet.qos, retain: packet.retain }));
        this.client.on("close", () => this.closed.put(null));
    }

    connect() {
        return this.connected.get();
    }

    present() {
        return this.sessionPresent;
    }

    subscribe(asked) {
        const wanted = Object.fromEntries(asked.filters.map((name) => [name, { qos: asked.qos }]));
        this.client.subscribe(wanted, () => {});
        return this.granted.get();
    }

    async unsubscribe(asked) {
        await this.client.unsubscribeAsync(asked.filters);
        return null;
    }

    async publish(asked) {
        const how = { qos: asked.qos, retain: asked.retain };
        await this.client.publishAsync(asked.topic, asked.payload, how);
        return true;
    }

    receive() {
        return this.heard.get();
    }

    async disconnect() {
        await this.client.endAsync();
        return null;
    }

    ended() {
        return this.closed.get();
    }
}

const peers = new Map();

async function obey(line) {
    const asked = JSON.parse(line);
    if (asked.do === "connect") {
        peers.set(asked.who, new Peer(asked));
    }
    const saw = await peers.get(asked.who)[asked.do](asked);
    process.stdout.write(`{"step": ${asked.step}, "saw": ${JSON.stringify(saw)}}\n`);
}

async function main() {
    for await (const line of readline.createInterface({ input: process.stdin })) {
        await obey(line);
    }
    process.exit(0);
}

main();
