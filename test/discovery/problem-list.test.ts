import { describe, expect, it } from "vitest";
import { ProblemGroups, problemList, shortList } from "../../src/discovery/problem-list.js";

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

describe("places of one problem", () => {
  it.each([
    [["a"], "a"],
    [["a", "b", "c"], "a, b, c"],
    [["a", "b", "c", "d", "e"], "a, b, c and 2 more"],
  ])("%j are told as the first three and a number", (places, told) => {
    expect(shortList(places)).toBe(told);
  });

  it("are gathered by the words of the problem, in the order in which problems came", () => {
    const groups = new ProblemGroups();

    groups.add("is odd", "a");
    groups.add("is old", "b");
    groups.add("is odd", "c");

    expect(groups.told((places, problem) => `${places.join("+")} ${problem}`)).toEqual([
      "a+c is odd",
      "b is old",
    ]);
  });
});
