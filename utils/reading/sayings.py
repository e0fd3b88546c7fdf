"""How prose says a mask type or an action without naming the field. Works on clean text (see `cleaning`).

Types are described in the words of the paper: those of the prompt's definitions, and those of MQ-Auditor's answers.
"""

from __future__ import annotations

from utils.reading.words import ANY_TYPE, I_SAY

VERB = "(?:match|cover|align|segment|delineate|capture|overlap|fit|outline)(?:e?s|ed)?"
OBJECT = r"(?:target|object|ground|gt|correct|referred|described)"
TARGET = r"(?!\s(?:background|surround|other|unrelated|wrong|neighbo|adjacent))"
MASK = r"\b(?:mask|segmentation|contour|outline|boundar(?:y|ies)|borders?|edges?)"
IS = r"\s(?:is|are|was|were|looks?|appears?|seems?|(?:has|have)(?:\sbeen)?|gets?|got)\s(?:\w+ly\s|too\s){0,2}"
SHOWS = (
    r"(?:segments?|segmented|segmenting|covers?|covering|highlights?|highlighting"
    r"|captures?|selects?|outlines?|contains?)"
)
SUFFERS = r"\s(?:shows|exhibits|displays|suffers\sfrom)\s(?:(?!no\b)\w+\s){0,3}"
WORDED_TYPES = {
    "perfect": rf"\bperfectly\s{VERB}\b|\b(?:perfect|exact|flawless)\smatch\b|\b(?:exactly|flawlessly)\smatch(?:es)?\b"
    rf"|\b{VERB}\s[^.,;]{{0,60}}?(?<!almost\s)(?<!nearly\s)(?<!not\s)\bperfectly\b",
    "cutout": rf"\bcovers\sthe\s(?:correct\s)?(?:{OBJECT}\s)*but\shas\smissing\sregions"
    r"|\b(?:mask|segmentation)\s(?:has|contains|shows)\s(?:(?!no\b)\w+\s){0,3}holes?\b|\binternal\s(?:defects|holes)\b",
    "dilate": rf"\bcovers\sthe\s(?:correct\s)?(?:{OBJECT}\s)*but\shas\souter\sregions"
    rf"|\bboundary\sexpansion\b|{MASK}{IS}(?:dilated|expanded|enlarged|inflated)\b|{MASK}{SUFFERS}dilation\b",
    "erode": rf"\bcovers\sthe\s(?:correct\s)?(?:{OBJECT}\s)*but\shas\sshrunk\sregions"
    rf"|\bboundary\sshrinkage\b|{MASK}{IS}(?:eroded|shrunk|shrunken)\b|{MASK}{SUFFERS}erosion\b",
    "merge": r"\bmerges\sin\b(?!\sno)|\bmask\s(?:\w+\s){0,2}?merges\b(?!\s(?:in\s)?no)",
    "full_neg": (
        rf"\b(?:do(?:es)?|did)\snot\s(?:include|contain|cover)\s(?:any|a\ssingle)\s(?:pixels?|parts?)\sof\sthe\b{TARGET}"
        rf"|\b(?:do(?:es)?|did)\snot\s(?:include|contain|cover)\sany\sof\sthe\s(?:{OBJECT}\s?)+(?:'s)?\spixels?\b"
        rf"|\b(?:includes|contains|covers)\s(?:no|zero|none of the)\spixels?\s(?:of|from)\sthe\b{TARGET}"
        rf"|\b(?:includes|contains|covers)\snone\sof\sthe\s(?:{OBJECT}\s?)+(?:'s)?\s?pixels?\b"
        rf"|\b(?:none|no\s(?:part|pixel)s?)\sof\sthe\s(?:{OBJECT}\s?)+(?:'s)?\s?(?:pixels?|parts?|area|regions?)?\s?(?:is|are)\s(?:covered|included)"
        rf"|\b(?:no|zero)\soverlap\s(?:at all\s)?(?:with|between\sthe\smask\sand)\sthe\s{OBJECT}"
        r"|\b(?:no|zero)\soverlap(?=\s?[.,;)]|$|\serror)"
        rf"|\b(?:do(?:es)?|did)\snot\soverlap\s(?:at all\s)?(?:with\s)?the\s{OBJECT}"
        rf"|\b(?:do(?:es)?|did)\snot\soverlap\s(?:with\s)?the\b{TARGET}\s(?:\w+\s){{1,3}}at\sall\b"
        rf"|\b(?:completely|entirely|totally)\smiss(?:es|ed)\sthe\s{OBJECT}"
        rf"|\b{SHOWS}\s(?:an?\s|the\s)?(?:completely|entirely|totally)\s(?:different|unrelated|wrong)\s"
        r"(?:object|region|person|area|instrument|animal)"
        rf"|\b{SHOWS}\sthe\swrong\s(?:object|target|person|instrument|animal|instance)"
    ),
}
DEGREE = (
    r"(?:a|an|the|slightly|heavily|severely|clearly|obviously|overly|somewhat|simply|best|described|as|case|of|to|be"
    r"|small|medium|large|typical|actually|really|rather|more|most|likely|probably|definitely|indeed|like"
    rf"|not\s(?:an?\s)?{ANY_TYPE},?\sbut(?:\srather)?|(?:nearly|almost|near)[\s-]perfect,?\s(?:but|just))\s"
)
NAMED_TYPE = (
    r"(?:\bmask\s(?:is|was|looks|appears|seems|has\sbeen|got)\s(?:{degree})*"
    r"|(?:^|(?<=[.!\n]\s)|(?<=\n))(?:looks|seems)\s(?:{degree})*"
    r"|\b(?:this(?:\sone)?|that|it)(?:'s|\sis|\swas|\slooks like)\s(?:{degree})*"
    r"|\b(?:classif|categor|label)\w*\s(?:it\s|(?:this|the)\s(?:mask\s)?)?(?:as|under)\s(?:{degree})*"
    r"|\b(?:mask|this|it)\s(?:falls|belongs|corresponds)\s(?:under|to|into|in|with)\s(?:{degree})*"
    rf"|{I_SAY}(?:say|choose|pick|go\s(?:for|with))\s(?:{{degree}})*"
    r"|\b(?:makes?|consider|call|deem|rate|judge)\s(?:it|this|(?:this|the)\smask)\s(?:{degree})*"
    r"|\b(?:case|definition)\sof\s(?:{degree})*){word}|\((?!perfect){word}\)|(?<!\d\s)\({word}\)|{word}\s(?:mask|type|case|category|class|fits|applies)\b"
)
PASSIVE = (
    r"\b(?:should|must|can|may|could|to|shall)\sbe"
    r"(?:\s(?:classif|label|categor|mark)\w+\s(?:(?![.;!?]\s).){0,60}?\band)?"
)
START = r"(?:^|(?<=[.!;,:\n]\s)|(?<=\n))(?:so\s|therefore,?\s|hence\s|please\s|and\s)?"
THE_MASK = r"(?:it|this|(?:this\s|the\s)(?:\w+\s)?mask)(?=\s?[.,;!)\n]|$|\s(?:as|without|with|because|since|for|due)\b)"
HAVE_TO = r"(?:(?:(?:have|had|need|decide|decided|choose|prefer|tend)\s)?to\s)?"
PLUMP = r"(?:\s(?:this|the|it)\b(?!\s(?:request|task|prompt|question|instruction))|(?=\s?[.;!]|\s?$))"
GETS = r"\b(?:mask|it)(?:\s(?:is|was|gets|has\sbeen)(?:\s(?:therefore|thus|hence|\w+ly))?)?"
CALLS_FOR = (
    r"\b(?:requires?|needs?|warrants?|calls\sfor|deserves|merits|justifies|suggests?|recommends?)\s(?:an?\s|some\s)?"
)
SPOKEN_ACTIONS = {
    "accept": rf"{PASSIVE}\saccepted\b|{I_SAY}{HAVE_TO}accept{PLUMP}|{GETS}\saccepted\b"
    r"|\bacceptance\sis\s(?:recommended|advised|suggested|appropriate)\b"
    rf"|{START}accept\s(?:{THE_MASK}|as[\s-]is|without\b|with\sno\b)|{CALLS_FOR}acceptance\b",
    "reject": rf"{PASSIVE}\s(?:rejected|discarded)\b"
    rf"|\b(?:i|we|you|me|us)(?:'d)?\s(?:would\s|will\s|should\s|must\s)?{HAVE_TO}reject{PLUMP}"
    rf"|{GETS}\srejected\b|{CALLS_FOR}rejection\b"
    r"|\brejection\sis\s(?:recommended|advised|suggested|appropriate)\b"
    rf"|{START}(?:reject|discard)\s{THE_MASK}",
} | {
    f"{size} revision": rf"{CALLS_FOR}{size}\srevisions?\b"
    rf"|\b{size}\srevisions?\s(?:is|are)\s(?:needed|required|recommended|necessary|warranted)\b"
    for size in ("minor", "major")
}
