import { expect, it } from "vitest";
import { settingsOf } from "../../src/call/call-settings.js";
import { rememberedSettings } from "../../src/interceptors/promises/settings-reader.js";

it("settings stay remembered however many keys the calls have, and each call has its own key", () => {
  const read = rememberedSettings();
  const before = read({ timeoutMs: 500 });

  const keys = Array.from({ length: 2_000 }, (_, user) => {
    const { deadline } = read({ timeoutMs: 500, hashKey: `user-${user}` });
    return settingsOf(deadline as Date).hashKey;
  });

  expect(keys).toEqual(Array.from({ length: 2_000 }, (_, user) => `user-${user}`));
  expect(read({ timeoutMs: 500 })).toBe(before);
});

it("a key that is none is refused by name", () => {
  expect(() => rememberedSettings()({ hashKey: 7 as unknown as string })).toThrow(/hashKey/);
});
