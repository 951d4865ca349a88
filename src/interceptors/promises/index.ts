export type {
  BidiStream,
  CallStatus,
  PromiseCallOptions,
  PromiseClient,
  PromiseExtras,
  Requests,
  ServerStream,
} from "./promise-types.js";
export { promises } from "./promises.js";
