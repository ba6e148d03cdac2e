import type { Condition } from '../../../alerts/index.js'
import type { Clock } from '../../../kernel/index.js'

export interface CertificateParts {
  readonly clock: Pick<Clock, 'now'>
  readonly gateway: {
    /** Of the certificate that is served; undefined without one. */
    readonly certificate: { readonly untilMs: number } | undefined
  }
}

const DAY_MS = 86_400_000
/** Certificates that renew themselves do so 30 days before their end. */
const SOON_MS = 14 * DAY_MS
const NEXT =
  'Renew the files of --hub.tls-cert and --hub.tls-key; the hub takes them over within ten minutes.'

/** Whether users’ clients accept the certificate of the hub. */
export function certificateConditions({ clock, gateway }: CertificateParts): Condition[] {
  const leftMs = () => {
    const { certificate } = gateway
    return certificate ? certificate.untilMs - clock.now() : Number.POSITIVE_INFINITY
  }
  return [
    {
      ...{ id: 'certificate-expires', severity: 'warning', forMs: 0 },
      look: () => {
        const left = leftMs()
        if (left <= 0 || left > SOON_MS) return []
        return [
          {
            sentence: `The certificate of the hub is valid for ${Math.floor(left / DAY_MS)} more days.`,
            next: NEXT,
          },
        ]
      },
    },
    {
      ...{ id: 'certificate-expired', severity: 'critical', forMs: 0 },
      look: () => {
        if (leftMs() > 0) return []
        return [{ sentence: 'The certificate of the hub has expired, so users cannot connect.', next: NEXT }]
      },
    },
  ]
}
