import { describe, expect, it } from "vitest";
import { problemList } from "../../src/discovery/problem-list.js";

describe("the problems of an answer", () => {
  it("are told in one sentence", () => {
    expect(problemList(["a is wrong"])).toBe("a is wrong");
    expect(problemList(["a is wrong", "b is"])).toBe("a is wrong; b is");
  });

  it("are counted beyond the first ten", () => {
    const told = problemList(Array.from({ length: 12 }, (_, index) => `p${index}`));

    expect(told).toBe("p0; p1; p2; p3; p4; p5; p6; p7; p8; p9; and 2 more");
  });
});
