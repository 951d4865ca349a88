import { z } from "zod";

/** A name of configuration: `package.Service`, or `package.Service/Method`, without a leading slash. */
export const methodNameSchema = z.string().regex(/^[A-Za-z_][\w.]*(\/[A-Za-z_]\w*)?$/, {
  message: 'is no method name; write "package.Service/Method" or "package.Service", no leading slash',
});
