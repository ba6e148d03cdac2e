import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { temporaryFolder } from './temporary-folder.js'

/** A certificate for 127.0.0.1 that signs itself, and its key. */
export interface CertificateFiles {
  readonly cert: string
  readonly key: string
}

/** @param days for which it is valid from now on */
export function createCertificate(days = 90): CertificateFiles {
  const folder = temporaryFolder('certificate')
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const names = ['-subj', '/CN=hub', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', String(days)]
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  execFileSync('openssl', ['req', '-x509', ...names, ...curve, '-out', cert, '-keyout', key], {
    stdio: 'ignore',
  })
  return { cert, key }
}
