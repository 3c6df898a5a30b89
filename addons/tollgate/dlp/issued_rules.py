"""Rules for secrets that tell by their look who issued them."""

from __future__ import annotations

from tollgate.dlp.secret_rules import SecretRule


def _issued(id: str, *patterns: str, entropy: float = 3.0) -> SecretRule:
    """Tokens that begin, or end, as one issuer's do, wherever they stand."""
    return SecretRule(id, rf"(?<![\w-])({'|'.join(patterns)})(?![\w-])", "high", entropy=entropy)


_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

ISSUED_RULES = (
    # https://core.telegram.org/bots/api#authorizing-your-bot
    SecretRule("telegram-bot-token", r"(?<!\d)(\d{8,10}:AA[\w-]{33})(?![\w-])", "high"),
    # https://developer.hashicorp.com/vault/docs/concepts/tokens
    SecretRule("vault-token", r"\b([sbr]\.(?=[A-Za-z]{0,25}\d)[A-Za-z0-9]{24,26})\b", "medium", entropy=3.5),
    # https://docs.doppler.com/reference/auth-token-formats
    SecretRule(
        "doppler-token",
        r"\b(dp\.(?:ct|pt|st|sa|scim|audit)\.(?:[a-z0-9\-_]{2,35}\.)?[A-Za-z0-9]{40,44})\b",
        "high",
    ),
    # https://developer.squareup.com/docs/build-basics/access-tokens
    SecretRule("square-secret", r"\b(sq0(?:atp|csp|idp)-[\w-]{22,43})(?![\w-])", "high"),
    # https://www.dropbox.com/developers/documentation/http/documentation
    SecretRule("dropbox-token", r"\b(sl\.(?:u\.)?[\w-]{100,1300})(?![\w-])", "high"),
    # https://github.com/FiloSottile/age#recipients-and-identities
    SecretRule("age-secret-key", r"\b(AGE-SECRET-KEY-1[0-9A-Z]{58})\b", "high"),
    # https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/
    SecretRule(
        "new-relic-key", r"\b(NRAK-[A-Z0-9]{27}|NRJS-[a-f0-9]{19}|NRI[IQ]-[\w-]{32})(?![\w-])", "high"
    ),
    # https://io.adafruit.com/api/docs/#authentication
    SecretRule("adafruit-key", r"\b(aio_[A-Za-z0-9]{28})\b", "high"),
    # https://api.slack.com/authentication/rotation
    SecretRule("slack-token", r"\b(xox[abeoprs](?:\.xox[bp])?-[A-Za-z0-9-]{20,400})", "high"),
    # incoming webhooks: who knows the address may post
    SecretRule(
        "webhook",
        r"(https://(?:hooks\.zapier\.com/hooks/catch/[\w/]{8,80}|hooks\.slack\.com/(?:services|workflows)/[\w/]{20,120}"
        r"|[\w-]{1,60}\.webhook\.office\.com/webhook\S{20,300}|outlook\.office\.com/webhook/\S{40,300}"
        r"|(?:\w{1,20}\.)?discord(?:app)?\.com/api/webhooks/\d{15,22}/[\w-]{30,120}))",
        "high",
    ),
    # OpenAI, Anthropic, Langfuse, ElevenLabs, and all who are compatible with the first
    _issued(
        "sk-key",
        r"sk-(?=[A-Za-z]{0,40}\d)[A-Za-z0-9]{32,64}",
        r"sk-(?:proj|svcacct|admin)-[\w-]{20,200}T3BlbkFJ[\w-]{20,200}",
        r"sk-ant-[a-z]{3,6}\d\d-[\w-]{80,200}",
        rf"sk-lf-{_UUID}",
        r"sk_[0-9a-f]{48}",
        entropy=3.3,
    ),
    # https://docs.stripe.com/webhooks https://github.com/standard-webhooks/standard-webhooks
    _issued("webhook-secret", r"whsec_[A-Za-z0-9+/]{24,88}={0,2}", r"signkey-\w{2,12}-[0-9a-f]{32,64}"),
    # https://docs.cloud.google.com/docs/authentication/token-types
    _issued(
        "google-token",
        r"GOCSPX-[\w-]{28}",
        r"ya29\.[\w-]{20,1000}(?:\.[\w-]{20,1000})?",
        r"1//0[\w-]{40,200}",
        r"AQ\.[A-Z][\w-]{40,120}",
        entropy=3.5,
    ),
    # https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate
    _issued(
        "azure-key",
        r"[A-Za-z0-9]{52,84}AZDO[A-Za-z0-9]{4}",
        r"[A-Za-z0-9+/_-]{28,76}(?:ACDb|AzFu|AzSe|APIM|AIoT|\+A(?:St|Ba|MC|CR|Eh|Sb|Rm))[A-Za-z0-9+/_-]{4,6}={0,2}",
        entropy=4.0,
    ),
    _issued("amazon-mws-token", rf"amzn\.mws\.{_UUID}"),
    _issued("bedrock-key", r"bedrock-api-key-[\w+/-]{40,2000}={0,2}"),
    # https://support.atlassian.com/bitbucket-cloud/docs/using-access-tokens/
    _issued("atlassian-token", r"AT[A-Z]{3}3x[\w-]{60,300}(?:=[0-9A-F]{8})?", r"ATBB[A-Za-z0-9]{24,40}"),
    _issued("facebook-token", r"EAA[A-Za-z0-9]{80,400}", r"IG(?:QVJ|AA)[\w-]{80,400}", entropy=4.0),
    _issued("twitter-bearer-token", r"A{20,24}[A-Za-z0-9%]{50,120}"),
    _issued(
        "discord-bot-token",
        r"(?:M[DTjz]|N[DTjz]|O[DT])(?:[A-Za-z0-9]{22}|[A-Za-z0-9]{24})\.[\w-]{6}\.[\w-]{27,40}",
        entropy=4.0,
    ),
    _issued("mapbox-secret-token", r"sk\.eyJ1Ijoi[\w-]{40,200}\.[\w-]{20,40}"),
    _issued("sentry-token", r"sntry[su]_[\w+/=-]{40,400}"),
    _issued("new-relic-license", r"[0-9a-f]{32,36}(?:FFFF)?NRAL"),
    _issued("mailchimp-key", r"[0-9a-f]{32}-us\d{1,2}"),
    _issued("mailgun-key", r"key-[0-9a-f]{32}"),
    _issued("asana-token", r"[0-2]/\d{15,17}(?:/\d{15,17})?:[0-9a-f]{32}"),
    _issued("clickup-token", r"pk_\d{6,12}_[A-Z0-9]{32}"),
    _issued("hubspot-token", rf"pat-[a-z]{{2}}\d-{_UUID}"),
    _issued("plaid-token", rf"access-(?:sandbox|development|production)-{_UUID}"),
    _issued("launchdarkly-key", rf"(?:sdk|api|mob)-{_UUID}"),
    _issued("adyen-key", r"AQE[A-Za-z0-9+/=]{40,200}-[A-Za-z0-9+/=]{30,80}-[\w-]{12,20}"),
    _issued("paypal-braintree-token", r"access_token\$(?:production|sandbox)\$[a-z0-9]{16}\$[0-9a-f]{32}"),
    _issued("flutterwave-key", r"FLWSECK(?:_TEST)?-[0-9a-zA-Z]{12,32}-X"),
    _issued("twitch-token", r"oauth:[a-z0-9]{30}"),
    _issued("infisical-token", r"st\.[0-9a-f-]{24,36}\.[0-9a-f]{32}\.[0-9a-f]{32}"),
    _issued("yandex-token", r"t1\.[A-Za-z0-9_-]{40,300}\.[\w-]{86}={0,2}", r"AQVN[\w-]{35,38}", entropy=3.5),
    _issued("cloud-access-key", r"LTAI[A-Za-z0-9]{12,24}", r"AKID[A-Za-z0-9]{32}", entropy=3.3),
    _issued("intercom-token", r"dG9rO[A-Za-z0-9+/]{40,80}={0,2}", entropy=4.0),
    _issued("razorpay-key", r"rzp_(?:live|test)_[A-Za-z0-9]{14,24}"),
    _issued("resend-key", r"re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,24}"),
    _issued("confluent-secret", r"cflt[A-Za-z0-9+/]{50,64}", entropy=4.0),
    _issued("telnyx-key", r"KEY[\w-]{55}", entropy=4.0),
    _issued("nuget-key", r"oy2[a-z0-9]{43}", entropy=3.5),
    _issued("crates-io-token", r"cio[A-Za-z0-9]{32}", entropy=4.0),
    _issued(
        "json-web-token", r"eyJ[\w-]{10,4000}\.(?:eyJ)?[\w-]{0,4000}(?:\.[\w-]{10,8000}){1,3}", entropy=4.0
    ),
    _issued(
        "prefixed-token",  # by the documentation of those who issue them
        r"(?:secret|jina|nfp|lin_oauth|packagist_[a-z]{3}|ddapp|ddpat|tfp|sq[upa]|cf(?:k|ut|at)|ntn|hc[abi]?[a-z]k|pylf_v\d_[a-z]{2}"
        r"|vercel_blob_rw|tr_(?:dev|prod|stg)|bb_(?:live|test)|fo1|e2b|fw|sk_sbox|testsk|secret-(?:live|test)|rt|waka|ops|mcp"
        r"|CFPAT|fc|tvly|dnkey|tskey)[_-](?=[\d_-]{0,40}[A-Za-z])(?=[A-Za-z_-]{0,40}\d)[\w-]{20,200}={0,2}",
        r"(?:live|test)_(?=[A-Za-z]{0,30}\d)[A-Za-z0-9]{30,50}",
        entropy=3.5,
    ),
    _issued(
        "self-described-token",  # as many name theirs: acme_live_…, acme_pat_…
        r"(?!pk_)[a-zA-Z][a-zA-Z0-9]{1,12}[_-](?:live|prod|production|sandbox|pat|sk|secret|token|tkn|key|apikey|oauth|bot|pw)[_-]"
        r"(?=[A-Za-z]{0,30}\d)[A-Za-z0-9]{20,120}",
        entropy=3.5,
    ),
)
"""Where what kingfisher knows of an issuer is less, or wants a name near the token, or a quote behind it."""
