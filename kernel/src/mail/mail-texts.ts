// What mails say, in each language. A text is a few paragraphs; where there is a link it stands between the first and the
// others. Names come from people: they are cleaned before they get here, and escaped where they become HTML.
import type { Language } from './languages.ts'

/** Each kind of mail, and what it tells. */
export interface MailFacts {
  readonly invitation: { readonly tenant: string; readonly inviter: string; readonly expires: Date }
  /** To own a tenant that the operator has opened. */
  readonly 'owner-invitation': { readonly tenant: string; readonly expires: Date }
  readonly 'verify-email': { readonly name: string; readonly expires: Date }
  readonly 'has-account': { readonly name: string }
  readonly 'reset-password': { readonly name: string; readonly expires: Date }
  readonly 'change-email': { readonly name: string; readonly expires: Date }
  readonly 'email-changed': { readonly name: string; readonly email: string; readonly at: Date }
  readonly 'password-changed': { readonly name: string; readonly at: Date }
  readonly 'factor-changed': { readonly name: string; readonly what: FactorChange; readonly at: Date }
  readonly 'sign-in-blocked': { readonly name: string; readonly at: Date }
  readonly 'approval-waiting': {
    readonly name: string
    readonly tenant: string
    readonly step: string
    readonly requester: string
  }
  readonly 'webhook-disabled': {
    readonly name: string
    readonly tenant: string
    readonly url: string
    readonly why: WebhookEnd
    readonly at: Date
  }
}

export type MailKind = keyof MailFacts
export type FactorChange = 'totp-on' | 'totp-off' | 'codes' | 'passkey-added' | 'passkey-removed' | 'removed'

/** Nothing arrived for days, or the receiver said that he is gone. */
export type WebhookEnd = 'failing' | 'gone'

export interface MailText {
  readonly subject: string
  readonly paragraphs: readonly string[]
  /** What the link is called. */
  readonly button?: string
}

/** The same facts as they are written: moments are texts in the reader's language. */
export type WrittenFacts<Kind extends MailKind> = {
  readonly [Name in keyof MailFacts[Kind]]: MailFacts[Kind][Name] extends Date
    ? string
    : MailFacts[Kind][Name]
}

type Texts = { readonly [Kind in MailKind]: (facts: WrittenFacts<Kind>) => MailText }

const factors: Readonly<Record<Language, Readonly<Record<FactorChange, string>>>> = {
  en: {
    'totp-on': 'codes of an authenticator app were switched on',
    'totp-off': 'codes of an authenticator app were switched off',
    codes: 'new recovery codes were made',
    'passkey-added': 'a passkey was added',
    'passkey-removed': 'a passkey was removed',
    removed: 'codes and passkeys were taken away by the operator',
  },
  de: {
    'totp-on': 'Codes einer Authenticator-App wurden eingeschaltet',
    'totp-off': 'Codes einer Authenticator-App wurden ausgeschaltet',
    codes: 'neue Wiederherstellungscodes wurden erstellt',
    'passkey-added': 'ein Passkey wurde hinzugefügt',
    'passkey-removed': 'ein Passkey wurde entfernt',
    removed: 'Codes und Passkeys wurden vom Betreiber entfernt',
  },
}

const webhookEnds: Readonly<Record<Language, Readonly<Record<WebhookEnd, string>>>> = {
  en: {
    failing: 'nothing sent there arrived for days',
    gone: 'the receiver answered that it is gone for good (410)',
  },
  de: {
    failing: 'seit Tagen kam dort nichts an',
    gone: 'der Empfänger antwortete, dass es ihn nicht mehr gibt (410)',
  },
}

const notYouEn = 'If this was not you, reset your password at once.'
const notYouDe = 'Wenn Sie das nicht waren, setzen Sie Ihr Passwort sofort zurück.'

const en: Texts = {
  invitation: ({ tenant, inviter, expires }) => ({
    subject: `Invitation to ${tenant}`,
    paragraphs: [
      `${inviter} invites you to ${tenant}.`,
      `The invitation is for this address and good until ${expires}. If you do not expect it, do nothing.`,
    ],
    button: 'Accept the invitation',
  }),
  'owner-invitation': ({ tenant, expires }) => ({
    subject: `${tenant} is ready for you`,
    paragraphs: [
      `${tenant} was set up for you. Accept, and you are its owner.`,
      `The link is for this address and good until ${expires}. If you do not expect it, do nothing.`,
    ],
    button: 'Accept',
  }),
  'verify-email': ({ name, expires }) => ({
    subject: 'Confirm your e-mail address',
    paragraphs: [
      `Hello ${name}, please confirm that this address is yours.`,
      `The link is good until ${expires}.`,
    ],
    button: 'Confirm the address',
  }),
  'has-account': ({ name }) => ({
    subject: 'You have an account already',
    paragraphs: [
      `Hello ${name}, somebody signed up with this address, and you have an account with it already.`,
      'If it was you: sign in, or reset your password if you have forgotten it. If not, do nothing.',
    ],
  }),
  'reset-password': ({ name, expires }) => ({
    subject: 'Reset your password',
    paragraphs: [
      `Hello ${name}, with this link you set a new password. It ends all your sessions.`,
      `The link is good once, until ${expires}. If you did not ask for it, do nothing.`,
    ],
    button: 'Set a new password',
  }),
  'change-email': ({ name, expires }) => ({
    subject: 'Confirm your new e-mail address',
    paragraphs: [
      `Hello ${name}, please confirm that you want to sign in with this address from now on.`,
      `The link is good until ${expires}. If you did not ask for it, do nothing.`,
    ],
    button: 'Use this address',
  }),
  'email-changed': ({ name, email, at }) => ({
    subject: 'Your e-mail address was changed',
    paragraphs: [
      `Hello ${name}, since ${at} you sign in with ${email}.`,
      'If this was not you, tell the administrator of your organisation at once.',
    ],
  }),
  'password-changed': ({ name, at }) => ({
    subject: 'Your password was changed',
    paragraphs: [`Hello ${name}, your password was changed on ${at}.`, notYouEn],
  }),
  'factor-changed': ({ name, what, at }) => ({
    subject: 'How you sign in was changed',
    paragraphs: [`Hello ${name}, on ${at} ${factors.en[what]}.`, notYouEn],
  }),
  'sign-in-blocked': ({ name, at }) => ({
    subject: 'Failed attempts to sign in',
    paragraphs: [
      `Hello ${name}, somebody tried wrong passwords or codes for your account, last on ${at}. Signing in has to wait for a while.`,
      'If it was you, wait or reset your password. If not, nobody got in; a passkey keeps such attempts out altogether.',
    ],
  }),
  'approval-waiting': ({ name, tenant, step, requester }) => ({
    subject: `An approval waits for you at ${tenant}`,
    paragraphs: [
      `Hello ${name}, what ${requester} has requested waits for your decision at the step “${step}”.`,
      'You find it among the approvals that wait for you. You are reminded until somebody has decided.',
    ],
  }),
  'webhook-disabled': ({ name, tenant, url, why, at }) => ({
    subject: `A webhook of ${tenant} was switched off`,
    paragraphs: [
      `Hello ${name}, the webhook to ${url} was switched off on ${at}: ${webhookEnds.en[why]}.`,
      'What happens from now on is not sent there. When the receiver works again, enable the webhook and replay what it missed.',
    ],
  }),
}

const de: Texts = {
  invitation: ({ tenant, inviter, expires }) => ({
    subject: `Einladung zu ${tenant}`,
    paragraphs: [
      `${inviter} lädt Sie zu ${tenant} ein.`,
      `Die Einladung gilt für diese Adresse und bis ${expires}. Wenn Sie keine erwarten, tun Sie nichts.`,
    ],
    button: 'Einladung annehmen',
  }),
  'owner-invitation': ({ tenant, expires }) => ({
    subject: `${tenant} ist für Sie eingerichtet`,
    paragraphs: [
      `${tenant} wurde für Sie eingerichtet. Nehmen Sie an, und es gehört Ihnen.`,
      `Der Link gilt für diese Adresse und bis ${expires}. Wenn Sie keinen erwarten, tun Sie nichts.`,
    ],
    button: 'Annehmen',
  }),
  'verify-email': ({ name, expires }) => ({
    subject: 'Bestätigen Sie Ihre E-Mail-Adresse',
    paragraphs: [
      `Guten Tag ${name}, bitte bestätigen Sie, dass diese Adresse Ihre ist.`,
      `Der Link gilt bis ${expires}.`,
    ],
    button: 'Adresse bestätigen',
  }),
  'has-account': ({ name }) => ({
    subject: 'Sie haben bereits ein Konto',
    paragraphs: [
      `Guten Tag ${name}, jemand hat sich mit dieser Adresse registriert, und Sie haben damit bereits ein Konto.`,
      'Wenn Sie das waren: Melden Sie sich an, oder setzen Sie Ihr Passwort zurück. Wenn nicht, tun Sie nichts.',
    ],
  }),
  'reset-password': ({ name, expires }) => ({
    subject: 'Setzen Sie Ihr Passwort zurück',
    paragraphs: [
      `Guten Tag ${name}, mit diesem Link setzen Sie ein neues Passwort. Alle Ihre Sitzungen enden damit.`,
      `Der Link gilt einmal und bis ${expires}. Wenn Sie ihn nicht angefordert haben, tun Sie nichts.`,
    ],
    button: 'Neues Passwort setzen',
  }),
  'change-email': ({ name, expires }) => ({
    subject: 'Bestätigen Sie Ihre neue E-Mail-Adresse',
    paragraphs: [
      `Guten Tag ${name}, bitte bestätigen Sie, dass Sie sich künftig mit dieser Adresse anmelden.`,
      `Der Link gilt bis ${expires}. Wenn Sie ihn nicht angefordert haben, tun Sie nichts.`,
    ],
    button: 'Diese Adresse verwenden',
  }),
  'email-changed': ({ name, email, at }) => ({
    subject: 'Ihre E-Mail-Adresse wurde geändert',
    paragraphs: [
      `Guten Tag ${name}, seit ${at} melden Sie sich mit ${email} an.`,
      'Wenn Sie das nicht waren, sagen Sie es sofort dem Administrator Ihrer Organisation.',
    ],
  }),
  'password-changed': ({ name, at }) => ({
    subject: 'Ihr Passwort wurde geändert',
    paragraphs: [`Guten Tag ${name}, Ihr Passwort wurde am ${at} geändert.`, notYouDe],
  }),
  'factor-changed': ({ name, what, at }) => ({
    subject: 'Ihre Anmeldung wurde geändert',
    paragraphs: [`Guten Tag ${name}, am ${at}: ${factors.de[what]}.`, notYouDe],
  }),
  'sign-in-blocked': ({ name, at }) => ({
    subject: 'Fehlgeschlagene Anmeldungen',
    paragraphs: [
      `Guten Tag ${name}, jemand hat für Ihr Konto falsche Passwörter oder Codes versucht, zuletzt am ${at}. Die Anmeldung muss eine Weile warten.`,
      'Wenn Sie das waren, warten Sie oder setzen Sie Ihr Passwort zurück. Wenn nicht: Niemand kam hinein; ein Passkey hält solche Versuche ganz fern.',
    ],
  }),
  'approval-waiting': ({ name, tenant, step, requester }) => ({
    subject: `Eine Freigabe bei ${tenant} wartet auf Sie`,
    paragraphs: [
      `Guten Tag ${name}, was ${requester} beantragt hat, wartet beim Schritt „${step}“ auf Ihre Entscheidung.`,
      'Sie finden es unter den Freigaben, die auf Sie warten. Sie werden erinnert, bis jemand entschieden hat.',
    ],
  }),
  'webhook-disabled': ({ name, tenant, url, why, at }) => ({
    subject: `Ein Webhook von ${tenant} wurde abgeschaltet`,
    paragraphs: [
      `Guten Tag ${name}, der Webhook zu ${url} wurde am ${at} abgeschaltet: ${webhookEnds.de[why]}.`,
      'Was von jetzt an geschieht, wird nicht mehr dorthin gesendet. Wenn der Empfänger wieder arbeitet, schalten Sie den Webhook ein und lassen das Versäumte noch einmal senden.',
    ],
  }),
}

export const mailTexts: Readonly<Record<Language, Texts>> = { en, de }
