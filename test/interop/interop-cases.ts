import * as grpc from "@grpc/grpc-js";
import { expect } from "vitest";
import { type EndedCall, Responses, singleResponse } from "./interop-calls.js";
import { type InteropStubs, type Payload, TestService, type WithPayload } from "./interop-stubs.js";

/** One of grpc's interoperability cases, after `doc/interop-test-descriptions.md` of grpc/grpc. */
export interface InteropCase {
  readonly name: string;
  /** What a user can rely on when it passes. */
  readonly gain: string;
  /** Makes the calls and asserts what the description asserts; the errors of the calls that had to fail, in order. */
  run(stubs: InteropStubs): Promise<readonly grpc.ServiceError[]>;
}

const REQUEST_SIZES = [27_182, 8, 1_828, 45_904];
const RESPONSE_SIZES = [31_415, 9, 2_653, 58_979];
const LARGE = { responseSize: 314_159, payload: zeros(271_828) };
const INITIAL = { key: "x-grpc-test-echo-initial", value: "test_initial_metadata_value" };
const TRAILING = { key: "x-grpc-test-echo-trailing-bin", value: Buffer.from("ababab", "hex") };
const STATUS = { code: grpc.status.UNKNOWN, message: "test status message" };
const SPECIAL_STATUS = {
  code: grpc.status.UNKNOWN,
  message: "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n",
};

export const interopCases: readonly InteropCase[] = [
  {
    name: "empty_unary",
    gain: "sends a message of no bytes and gets one back",
    async run({ test }) {
      expect(TestService.service["EmptyCall"]?.requestSerialize({})).toHaveLength(0);
      const call = await singleResponse((callback) => test.emptyCall({}, callback));

      expect(call.error).toBeNull();
      expect(call.responses).toEqual([{}]);
      return [];
    },
  },
  {
    name: "large_unary",
    gain: "sends 271,828 bytes and gets 314,159 back",
    async run({ test }) {
      const call = await singleResponse<WithPayload>((callback) => test.unaryCall(LARGE, callback));

      expectResponses(call, [LARGE.responseSize]);
      return [];
    },
  },
  {
    name: "client_streaming",
    gain: "sends every message of a request stream before the one response",
    async run({ test }) {
      const call = await singleResponse((callback) => {
        const stream = test.streamingInputCall(callback);
        for (const size of REQUEST_SIZES) stream.write({ payload: zeros(size) });
        stream.end();
        return stream;
      });

      expect(call.error).toBeNull();
      expect(call.responses).toEqual([{ aggregatedPayloadSize: 74_922 }]);
      return [];
    },
  },
  {
    name: "server_streaming",
    gain: "reads exactly the responses of a stream, in order",
    async run({ test }) {
      const responseParameters = RESPONSE_SIZES.map((size) => ({ size }));
      const call = await new Responses(test.streamingOutputCall({ responseParameters })).ended;

      expectResponses(call, RESPONSE_SIZES);
      return [];
    },
  },
  {
    name: "ping_pong",
    gain: "answers each response of a stream with the next request",
    async run({ test }) {
      const stream = test.fullDuplexCall();
      const responses = new Responses(stream);
      for (const [index, size] of RESPONSE_SIZES.entries()) {
        stream.write({ responseParameters: [{ size }], payload: zeros(REQUEST_SIZES[index] ?? 0) });
        expectPayload(await responses.next(), size);
      }
      stream.end();

      expectResponses(await responses.ended, RESPONSE_SIZES);
      return [];
    },
  },
  {
    name: "empty_stream",
    gain: "ends a stream that carried no message either way",
    async run({ test }) {
      const stream = test.fullDuplexCall();
      stream.end();

      expectResponses(await new Responses(stream).ended, []);
      return [];
    },
  },
  {
    name: "cancel_after_begin",
    gain: "cancels a call before its first message",
    async run({ test }) {
      const call = await singleResponse((callback) => {
        const stream = test.streamingInputCall(callback);
        stream.cancel();
        return stream;
      });

      return [failure(call, grpc.status.CANCELLED)];
    },
  },
  {
    name: "cancel_after_first_response",
    gain: "cancels a stream after its first response",
    async run({ test }) {
      const stream = test.fullDuplexCall();
      const responses = new Responses(stream);
      stream.write({ responseParameters: [{ size: 31_415 }], payload: zeros(27_182) });
      expectPayload(await responses.next(), 31_415);
      stream.cancel();

      return [failure(await responses.ended, grpc.status.CANCELLED)];
    },
  },
  {
    name: "timeout_on_sleeping_server",
    gain: "ends a stream on a server that says nothing after 1 ms",
    async run({ test }) {
      // Connected first, or the millisecond would be spent on that.
      await singleResponse((callback) => test.emptyCall({}, callback));
      const stream = test.fullDuplexCall(new grpc.Metadata(), { deadline: Date.now() + 1 });
      stream.write({ payload: zeros(27_182) });

      return [failure(await new Responses(stream).ended, grpc.status.DEADLINE_EXCEEDED)];
    },
  },
  {
    name: "custom_metadata",
    gain: "carries text and binary metadata both ways, with headers and with trailers",
    async run({ test }) {
      const unary = await singleResponse<WithPayload>((callback) =>
        test.unaryCall(LARGE, echoMetadata(), callback),
      );
      expectResponses(unary, [LARGE.responseSize]);
      expectEchoedMetadata(unary);

      const stream = test.fullDuplexCall(echoMetadata());
      stream.write({ responseParameters: [{ size: LARGE.responseSize }], payload: LARGE.payload });
      stream.end();
      const streaming = await new Responses(stream).ended;
      expectResponses(streaming, [LARGE.responseSize]);
      expectEchoedMetadata(streaming);
      return [];
    },
  },
  {
    name: "status_code_and_message",
    gain: "tells code and message of a server's error",
    async run({ test }) {
      const unary = await singleResponse<WithPayload>((callback) =>
        test.unaryCall({ responseStatus: STATUS }, callback),
      );
      const stream = test.fullDuplexCall();
      stream.write({ responseStatus: STATUS });
      stream.end();
      const streaming = await new Responses(stream).ended;

      return [unary, streaming].map((call) => failure(call, STATUS.code, STATUS.message));
    },
  },
  {
    name: "special_status_message",
    gain: "keeps white space and all of Unicode in the message of a server's error",
    async run({ test }) {
      const request = { responseStatus: SPECIAL_STATUS };
      const call = await singleResponse<WithPayload>((callback) => test.unaryCall(request, callback));

      return [failure(call, SPECIAL_STATUS.code, SPECIAL_STATUS.message)];
    },
  },
  {
    name: "unimplemented_method",
    gain: "tells of a method that the service does not have",
    async run({ test }) {
      const call = await singleResponse((callback) => test.unimplementedCall({}, callback));

      return [failure(call, grpc.status.UNIMPLEMENTED)];
    },
  },
  {
    name: "unimplemented_service",
    gain: "tells of a service that the server does not have",
    async run({ unimplemented }) {
      const call = await singleResponse((callback) => unimplemented.unimplementedCall({}, callback));

      return [failure(call, grpc.status.UNIMPLEMENTED)];
    },
  },
];

function zeros(bytes: number): Payload {
  return { body: Buffer.alloc(bytes) };
}

function expectResponses(call: EndedCall<WithPayload>, sizes: readonly number[]): void {
  expect(call.error).toBeNull();
  expect(call.responses).toHaveLength(sizes.length);
  for (const [index, size] of sizes.entries()) expectPayload(call.responses[index]!, size);
}

function expectPayload({ payload }: WithPayload, size: number): void {
  expect(payload?.type).toBe(0);
  expect(payload?.body).toHaveLength(size);
  // Not `toEqual`, which looks at each byte by itself.
  expect(payload?.body.equals(Buffer.alloc(size))).toBe(true);
}

function echoMetadata(): grpc.Metadata {
  const metadata = new grpc.Metadata();
  metadata.set(INITIAL.key, INITIAL.value);
  metadata.set(TRAILING.key, TRAILING.value);
  return metadata;
}

function expectEchoedMetadata({ headers, trailers }: EndedCall<WithPayload>): void {
  expect(headers.get(INITIAL.key)).toEqual([INITIAL.value]);
  expect(trailers.get(TRAILING.key)).toEqual([TRAILING.value]);
}

function failure(call: EndedCall<unknown>, code: grpc.status, message?: string): grpc.ServiceError {
  expect(call.error?.code).toBe(code);
  if (message !== undefined) expect(call.error?.details).toBe(message);
  return call.error!;
}
