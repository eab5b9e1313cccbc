/* The whole program, with a stack file of its own. */
// eslint-disable-next-line @typescript-eslint/no-require-imports -- hands on what the program exports
import outputs = require("../../index");

export = outputs;
