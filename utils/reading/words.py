"""The words for mask types and actions, and what they are said after. Works on clean text (see `cleaning`)."""

from __future__ import annotations

import re

TYPES = {
    "perfect": r"(?<![a-z])(?<!near[\s-])(?<!nearly[\s-])(?<!almost[\s-])perfect(?![a-z])",
    "cutout": r"(?<![a-z])cut[\s_-]?outs?(?![a-z])",
    "dilate": r"(?<![a-z])dilat(?:e|ed|es|ion|ing)(?![a-z])",
    "erode": r"(?<![a-z])ero(?:de|ded|des|ding|sion)(?![a-z])",
    "merge": r"(?<![a-z])merg(?:e|ed|es|ing)(?![a-z])",
    "full_neg": r"(?<![a-z])full(?:y)?[\s_\u2013-]*neg(?:ative)?s?(?![a-z])",
}
ACTIONS = {
    "accept": r"(?<![a-z])accept(?:ed|ing|ance|s)?(?![a-z])",
    "minor revision": r"(?<![a-z])minor(?:[\s_-]*revisions?)?(?![a-z])",
    "major revision": r"(?<![a-z])major(?:[\s_-]*revisions?)?(?![a-z])",
    "reject": r"(?<![a-z])reject(?:ed|ing|ion|s)?(?![a-z])",
}
ANY_TYPE, ANY_ACTION = (f"(?:{'|'.join(words.values())})" for words in (TYPES, ACTIONS))
# Other words and languages. They count only in the place of a value ("mask type: has holes"), where no word above does.
OTHER_TYPES = {
    "perfect": r"\b(?:exact match|flawless|perfekte?|parfaite?|perfect[ao]|perfeit[ao]|perfett[ao])\b|(?<!不)完美|完璧",
    "cutout": r"\bholes?\b|\bmissing (?:regions?|parts?|pixels?|areas?)\b|挖空|缺失",
    "dilate": r"\b(?:expand(?:ed|s)?|expansion|enlarged|oversized|inflated|dilatad[ao]|dilat[ée]e?)\b|膨胀|膨張|扩张",
    "erode": r"\b(?:shr[iua]nk(?:en|s|age|ing)?|contracted|undersized|érodée?|erosionad[ao])\b|腐蚀|侵蚀|收缩|収縮",
    "merge": r"\b(?:verschmolzen|fusionn?ée?|fusionad[ao])\b|合并|合併|融合",
    "full_neg": r"\b(?:wrong|different|incorrect|unrelated) (?:object|target|region|instance)|\bno overlap\b"
    r"|(?<!false )\bnegative\b",
}
ADJUST = r"(?:revis(?:e|ions?)|refine(?:ments?)?|correct(?:ions?)?|adjust(?:ments?)?|edits?|fix(?:es)?)"
SLIGHT, STRONG = r"(?:slight|small|light)(?:ly)?", r"(?:substantial|significant|extensive|heav)(?:ly|y|ily)?"
OTHER_ACTIONS = {
    "accept": r"\b(?:approved?|akzeptier\w+|annehmen|accepter|aceptar|aceitar|accettare|принять)\b|(?<!不)接受",
    "minor revision": rf"\b{SLIGHT}\s{ADJUST}\b|\b{ADJUST}\s(?:it\s|the mask\s)?slightly\b"
    r"|\b(?:kleine|geringfügige) überarbeitung|\br[eé]vis\w+ (?:mineure|menor|minore)\b"
    r"|小修|(?:轻微|小幅|少量)修[改正]",
    "major revision": rf"\b{STRONG}\s{ADJUST}\b|\b{ADJUST}\s(?:it\s|the mask\s)?{STRONG}\b"
    r"|\b(?:große|größere|umfassende) überarbeitung|\br[eé]vis\w+ (?:majeure|mayor|maior|maggiore)\b"
    r"|大修|(?:重大|大幅)修[改正]",
    "reject": r"\b(?:discard(?:ed)?|throw (?:it )?away|ablehnen|verwerfen|rejeter|rechazar|rejeitar|rifiutare"
    r"|отклонить)\b|拒绝|拒否",
}

# "accept with minor revisions" recommends the revision
# and so does "a revision before it can be accepted".
AFTER_REVISION = re.compile(
    r"accept(?:ed|ance)?\s(?:it\s)?(?:with|after|subject to|pending|following)\s(?:an?\s)?(?=minor|major)"
    r"|\bbefore\s(?:\w+\s){0,4}(?:be(?:ing)?\s)?accept(?:ed|ing|ance)"
)
RATHER = (
    r",\s(?:(?:but|rather|instead|and|or|partly|partially)\s)?(?:rather\s|instead\s)?(?:to\s|it\sis\s|an?\s)*"
    rf"(?:{ANY_TYPE}|{ANY_ACTION})"
)
CLAUSE = re.compile(  # the words of a value
    rf"(?:(?:(?={RATHER}),|(?![.,;:!?\n|}}](?:\s|$)|[,;\n|}}]"
    r"|\b(?:because|since|as|with|which|where|due|for|when|that|given)\b"
    rf"|\band\s(?!{ANY_TYPE}|{ANY_ACTION})|\bbut\s(?!(?:rather\s)?(?:to\s|an?\s)*(?:{ANY_TYPE}|{ANY_ACTION}))).)){{0,200}}"
)
LINKS = (
    r"(?:\s|[:=|>()\[\]{}→-]|(?:belongs?|falls?|corresponds?|to|is|was|be|of|the|category|class|label|type|under|into|as"
    r"|classified|categori[sz]ed|described|labell?ed|identified|a|an|best|most|likely|probably|clearly|therefore|thus"
    r"|here|would|should|will|must|seems|appears|taken|required|for|this|mask|it|and|value|name|recommended|final|i"
    r"|suggest|recommend|take|that|ist|est|es|su|sua|è|é|de|die|der|das|la|el|o|recomendada|recomendado|consigliata"
    r"|raccomandata|suggerita|sugerida|recommandée|empfohlene|là|được|đề|xuất)(?![a-z_])"
    r"|为|是|属于|屬於|は|、|は、|은|는|이|가|的|です){0,60}"
)
FOREIGN_TYPE = (
    r"\b(?:typ|mask(?:en|er?)?[\s-]?type?|maske\stürü|نوع\sالقناع|tipo\sd[ei](?:\sla)?\sm[aá]s[ck](?:ara|hera)|type\sde\smasque|тип\sмаски|loại\smặt\snạ)\b"
    r"|(?:掩码|掩膜|遮罩|マスクの?)?(?:类型|類型|種類|タイプ)|(?:마스크\s?)?(?:유형|타입)"
)
FOREIGN_ACTION = (
    r"\b(?:aktion|acción|ação|azione|действие|hành\sđộng)\b"
    r"|操作|动作|動作|アクション|조치|建议(?=[:\s]|为|是|接受|拒绝)"
)
I_SAY = r"\b(?:i|we)(?:'d|\swould|'ll|\swill)?\s"
CHOICE = r"(?:\b(?:answer|choice|option|keyword)\s(?:is|would\sbe)\b|\[x\]\s)"
TYPE_LEADS = (  # stronger ones first
    re.compile(rf"(?:\bmask[\s_-]*(?:type|class|category)\b|{FOREIGN_TYPE}){LINKS}"),
    re.compile(rf"\b(?:type|category|class|classification|label)\b{LINKS}"),
    re.compile(rf"(?:^|[{{,;\n(|])\s*mask\s?[:=]{LINKS}|(?<=\s)mask={LINKS}|{CHOICE}{LINKS}"),
)
ACTION_LEADS = (
    re.compile(rf"\b(?:recommend|suggest|propos)\w*[\s_-]action\b{LINKS}"),
    re.compile(rf"(?:(?<!band, )(?<!band )\b(?:recommended)?action\b|{FOREIGN_ACTION}){LINKS}"),
    re.compile(
        rf"\b(?:recommendation|decision|verdict)\b{LINKS}|{I_SAY}(?:recommend|suggest|propose|advise|choose|say"
        rf"|(?:go|opt|vote|settle)\s(?:for|with|to)|lean\s(?:to|towards?))\b{LINKS}"
        rf"|\b(?:recommend(?:ed)?|status|outcome|conclusion)\s?[:=]{LINKS}|{CHOICE}{LINKS}"
        rf"|\bit\sis\s(?:recommended|advised|suggested|best)\s(?:to|that)\b{LINKS}"
    ),
)
BAND_ACTION = re.compile(rf"band,?\saction\b{LINKS}")
