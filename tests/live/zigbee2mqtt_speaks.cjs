// Zigbee2MQTT whose stick is played: `node zigbee2mqtt_speaks.cjs`, in a folder where it
// is installed, with ZIGBEE2MQTT_DATA set. Each line of its input is a frame as a device
// sends it: network address, cluster, bytes in hex. "stop" ends it in good order.
const path = require("node:path");
const readline = require("node:readline");

const modules = path.join(process.cwd(), "node_modules");
const herdsman = path.join(modules, "zigbee-herdsman", "dist");
const {Adapter} = require(path.join(herdsman, "adapter", "adapter.js"));
const Zcl = require(path.join(herdsman, "zspec", "zcl"));
const {Controller} = require(path.join(modules, "zigbee2mqtt", "dist", "controller.js"));

class Played extends Adapter {
    async start() { return "resumed"; }
    async stop() {}
    async getCoordinatorIEEE() { return "0x00124b00120144ae"; }
    async getCoordinatorVersion() { return {type: "played", meta: {}}; }
    async reset() {}
    async supportsBackup() { return false; }
    async getNetworkParameters() {
        return {panID: 6754, extendedPanID: "0xdddddddddddddddd", channel: 11, nwkUpdateID: 0};
    }
    waitFor() { return {promise: new Promise(() => {}), cancel: () => {}}; }
    async sendZdo() {}
    async permitJoin() {}
    async sendZclFrameToEndpoint() {}
    async sendZclFrameToGroup() {}
    async sendZclFrameToAll() {}
}

let stick;
Adapter.create = async (...options) => {
    stick = new Played(...options);
    return stick;
};

async function main() {
    const controller = new Controller(async () => {}, async (code) => process.exit(code));
    await controller.start();
    console.log("started");
    for await (const line of readline.createInterface({input: process.stdin})) {
        if (line === "stop") break;
        const [address, clusterID, hex] = line.split(" ");
        const data = Buffer.from(hex, "hex");
        stick.emit("zclPayload", {
            clusterID: Number(clusterID),
            address: Number(address),
            header: Zcl.Header.fromBuffer(data),
            data,
            endpoint: 1,
            linkquality: 120,
            groupID: 0,
            wasBroadcast: false,
            destinationEndpoint: 1,
        });
    }
    await controller.stop();
    process.exit(0);
}

main();
