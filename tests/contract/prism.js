// node prism.js SPEC [UPSTREAM]: serves a mock of the spec, or a proxy in front of UPSTREAM, that checks what passes.
// Prints its address. The command line tool is no help here: it renames parameters whose names have brackets.
const { createLogger } = require('@stoplight/prism-core');
const { getHttpOperationsFromSpec } = require('@stoplight/prism-http');
const { createServer } = require('@stoplight/prism-http-server');

const [spec, upstream] = process.argv.slice(2);
const checks = { checkSecurity: true, validateRequest: true, validateResponse: true, errors: true };
const config = upstream
  ? { ...checks, isProxy: true, upstream: new URL(upstream), mock: false }
  : { ...checks, isProxy: false, mock: { dynamic: false } };
getHttpOperationsFromSpec(spec)
  .then((operations) => createServer(operations, { cors: false, config, components: { logger: createLogger('prism', { enabled: false }) } }))
  .then((server) => server.listen(0, '127.0.0.1'))
  .then((address) => console.log(address));
