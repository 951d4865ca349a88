export { type Compression, compressionSchema } from "../pool/index.js";
