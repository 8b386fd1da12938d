// aedes, in memory: `node aedes_serves.mjs PORT WS_PORT`, where aedes and ws are installed.
import {createServer} from "node:http";
import {createRequire} from "node:module";
import net from "node:net";
import path from "node:path";
import {pathToFileURL} from "node:url";

const require = createRequire(path.join(process.cwd(), "package.json"));
const {Aedes} = await import(pathToFileURL(path.join(process.cwd(), "node_modules/aedes/aedes.js")));
const {WebSocketServer, createWebSocketStream} = require("ws");

const [port, wsPort] = process.argv.slice(2).map(Number);
const aedes = await Aedes.createBroker();
net.createServer(aedes.handle).listen(port, "127.0.0.1");
const http = createServer();
new WebSocketServer({server: http}).on("connection", (socket, request) => {
    aedes.handle(createWebSocketStream(socket), request);
});
http.listen(wsPort, "127.0.0.1");
