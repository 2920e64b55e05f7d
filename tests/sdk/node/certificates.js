'use strict';
// Certificates as a developer makes them, with the openssl command, in a folder of the test.
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nearhub-x509-'));
process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));

const openssl = (...args) => execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] }).toString();
let serial = 0;

// As create_test_cert.js of the Node SDK makes them: a root without key usage, leaves with a critical extended key usage, and the word "null" behind
// the last line of the full chain.
function make(commonName, { issuer, ca = false, key = 'ec' } = {}) {
  const name = `c${++serial}`;
  const file = (end) => path.join(folder, `${name}_${end}.pem`);
  if (key === 'rsa') openssl('genrsa', '-out', file('key'), '2048');
  else openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', file('key'));
  openssl('req', '-new', '-key', file('key'), '-subj', `/CN=${commonName.replaceAll('/', '\\/')}`, '-out', file('csr'));
  fs.writeFileSync(file('ext'), ca ? 'basicConstraints=critical,CA:true\n' : 'basicConstraints=critical,CA:false\nextendedKeyUsage=critical,clientAuth\n');
  const signer = issuer ? ['-CA', issuer.certFile, '-CAkey', issuer.keyFile, '-set_serial', String(1000 + serial)] : ['-signkey', file('key')];
  openssl('x509', '-req', '-in', file('csr'), '-days', '1', '-sha256', ...signer, '-extfile', file('ext'), '-out', file('cert'));
  const cert = fs.readFileSync(file('cert'), 'utf8');
  return {
    cert, chain: cert + (issuer ? issuer.chain : 'null'), key: fs.readFileSync(file('key'), 'utf8'), certFile: file('cert'), keyFile: file('key'),
    thumbprint: (hash) => openssl('x509', '-in', file('cert'), '-noout', '-fingerprint', `-${hash}`).trim().split('=')[1],
  };
}

module.exports = { make };
