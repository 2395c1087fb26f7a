// The least that an extension can be: what is left is the host's own time.
module.exports = { activate() {} };
