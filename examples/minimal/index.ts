/* The whole program, with its own stack file. */
// eslint-disable-next-line @typescript-eslint/no-require-imports -- hands on what the program exports
import outputs = require("../../index");

export = outputs;
