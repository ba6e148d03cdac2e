import {
  type AdmissionRefusal,
  BAD_REQUEST_BODY,
  BODY_TOO_COMPLEX,
  TOO_MANY_BYTES,
  violates,
} from '../admission/index.js'
import type { RequestRead } from '../requests/index.js'

/** The refusal of a body that cannot be forwarded. */
export function refusalOf(reading: Exclude<RequestRead, { kind: 'read' }>): AdmissionRefusal {
  switch (reading.kind) {
    case 'not-a-request':
      return BAD_REQUEST_BODY
    case 'too-complex':
      return BODY_TOO_COMPLEX
    case 'busy':
      return TOO_MANY_BYTES
    case 'violation':
      return violates(reading.violation)
  }
}
