import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { readTls } from '../../../../src/roles/hub/gateway/index.js'
import { createCertificate } from '../../../support/certificate.js'
import { removeTemporaryFolders } from '../../../support/temporary-folder.js'

afterAll(removeTemporaryFolders)

const DAY_MS = 86_400_000

/** What is read of a certificate for 90 days whose file is changed before. */
async function readChanged(change: (pem: string) => string) {
  const { cert, key } = createCertificate(90)
  writeFileSync(cert, change(readFileSync(cert, 'utf8')))
  return await readTls({ 'hub.tls-cert': cert, 'hub.tls-key': key })
}

function daysLeft(tls: Awaited<ReturnType<typeof readTls>>): number {
  return Math.round(((tls?.validity.untilMs ?? Number.NaN) - Date.now()) / DAY_MS)
}

/** The same certificate with an end that is no time; OpenSSL serves it all the same. */
function withoutEnd(pem: string): string {
  const der = Buffer.from(pem.replaceAll(/-----.*-----/g, ''), 'base64')
  const [, end] = der.toString('latin1').matchAll(/\d{12}Z/g)
  der.write('999999999999Z', end?.index ?? 0, 'latin1')
  return `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`
}

describe('the certificate of a hub', () => {
  it('is valid as long as the first of its file, whatever the chain ends in', async () => {
    const root = readFileSync(createCertificate(1).cert, 'utf8')
    const tls = await readChanged((pem) => `${pem}${root}`)
    expect(daysLeft(tls)).toBe(90)
    expect(tls?.validity.fromMs).toBeLessThanOrEqual(Date.now())
  })

  it.each(['X509 CERTIFICATE', 'TRUSTED CERTIFICATE'])('may have the label %s', async (label) => {
    expect(daysLeft(await readChanged((pem) => pem.replaceAll(' CERTIFICATE', ` ${label}`)))).toBe(90)
  })

  it('is refused without a readable end, before it is served', async () => {
    await expect(readChanged(withoutEnd)).rejects.toMatchObject({
      code: 'HUB_TLS',
      message: expect.stringContaining('the dates of the certificate'),
    })
  })

  it.each(['', 'text'])('is refused when the file holds none but "%s"', async (text) => {
    await expect(readChanged(() => text)).rejects.toMatchObject({ code: 'HUB_TLS' })
  })

  it('is undefined when none is set', async () => {
    expect(await readTls({ 'hub.tls-cert': undefined, 'hub.tls-key': undefined })).toBeUndefined()
  })
})
