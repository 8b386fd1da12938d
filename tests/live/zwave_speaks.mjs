// zwave-js with its mock controller and mock nodes, and Z-Wave JS UI's way to say what
// changes: `node zwave_speaks.mjs PORT FOLDER LAYOUT`, in a folder where zwave-js and mqtt
// are installed. LAYOUT is "named" or "valueid", and ":LOCATION" where one is set. FOLDER
// keeps what the driver knows over restarts. Each line of its input is a notification:
// node, type, event in numbers. "stop" ends it in good order.
// Source: Z-Wave JS UI's documentation, "Gateway": topics of the gateway types, payload
// type "JSON Time-Value", retained at QoS 1.
import {mkdirSync} from "node:fs";
import {createRequire} from "node:module";
import path from "node:path";
import readline from "node:readline";

const require = createRequire(path.join(process.cwd(), "package.json"));
const {CommandClasses} = require("@zwave-js/core");
const {NotificationCCReport} = require("@zwave-js/cc");
const {MockController, MockNode, createMockZWaveRequestFrame, ccCaps} = require("@zwave-js/testing");
const {
    createAndStartDriverWithMockPort,
    createDefaultMockControllerBehaviors,
    createDefaultMockNodeBehaviors,
} = require("zwave-js/Testing");
const mqtt = require("mqtt");

const [port, folder, layout] = process.argv.slice(2);
const [kind, location = ""] = layout.split(":");
const NAMES = {2: "front door", 3: "hall"};
const TYPES = {2: {6: [22, 23]}, 3: {7: [3, 8]}};

function topicOf(node, value) {
    const name = NAMES[node.id] ?? `nodeID_${node.id}`;
    const way =
        kind === "named"
            ? [value.commandClassName.toLowerCase(), `endpoint_${value.endpoint ?? 0}`, value.propertyName]
            : [value.commandClass, value.endpoint || "0", value.property];
    if (value.propertyKey !== undefined) way.push(value.propertyKey);
    const parts = ["zwave", ...(location ? [location] : []), name, ...way];
    // a blank becomes "_", other signs go
    return parts.map((part) => String(part).replaceAll(" ", "_").replace(/[^\w/-]/g, "")).join("/");
}

mkdirSync(folder, {recursive: true});
const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`);
const {driver, continueStartup, mockPort, serial} = await createAndStartDriverWithMockPort({
    storage: {cacheDir: folder},
    logConfig: {enabled: false},
    attempts: {openSerialPort: 1},
    testingHooks: {skipBootloaderCheck: true, skipFirmwareIdentification: true},
    securityKeys: undefined,
});
const controller = await MockController.create({homeId: 0x7e570001, ownNodeId: 1, mockPort, serial});
controller.defineBehavior(...createDefaultMockControllerBehaviors());
const nodes = new Map();
for (const id of [2, 3]) {
    const node = await MockNode.create({
        id,
        controller,
        capabilities: {
            commandClasses: [
                CommandClasses.Version,
                ccCaps({
                    ccId: CommandClasses.Notification,
                    isSupported: true,
                    version: 8,
                    supportsV1Alarm: false,
                    notificationTypesAndEvents: TYPES[id],
                }),
            ],
        },
    });
    node.defineBehavior(...createDefaultMockNodeBehaviors());
    controller.addNode(node);
    nodes.set(id, node);
}

function say(node, value, current) {
    const time = node.getValueTimestamp(value) ?? Date.now();
    const payload = JSON.stringify({time, value: current});
    client.publish(topicOf(node, value), payload, {qos: 1, retain: true});
}

function follow(node) {
    for (const event of ["value added", "value updated"]) {
        node.on(event, (of, value) => say(of, value, value.newValue));
    }
    node.on("ready", (of) => {
        for (const value of of.getDefinedValueIDs()) say(of, value, of.getValue(value));
        ready.delete(of.id);
        if (ready.size === 0) console.log("started");
    });
}

const ready = new Set(nodes.keys());
driver.once("driver ready", () => {
    for (const node of driver.controller.nodes.values()) if (node.id !== 1) follow(node);
});
driver.on("error", (error) => console.error(error));
continueStartup();
for await (const line of readline.createInterface({input: process.stdin})) {
    if (line === "stop") break;
    const [id, notificationType, notificationEvent] = line.split(" ").map(Number);
    const report = new NotificationCCReport({nodeId: id, notificationType, notificationEvent});
    await nodes.get(id).sendToController(createMockZWaveRequestFrame(report, {ackRequested: false}));
}
await client.endAsync();
await driver.destroy();
process.exit(0);
