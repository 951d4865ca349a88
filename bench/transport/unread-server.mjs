// An HTTP/2 server that accepts requests and takes no byte of their bodies: what was written stays with the client. It
// says once when as many streams are open as it was told to wait for.
import { createServer } from "node:http2";

const expectedStreams = Number(process.argv[2]);
let streams = 0;

const server = createServer({ settings: { initialWindowSize: 0 } });
server.on("stream", (stream) => {
  stream.on("error", () => {});
  streams++;
  if (streams === expectedStreams) console.log("open");
});

process.stdin.resume().on("end", () => process.exit(0));
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
