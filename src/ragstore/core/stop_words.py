# ruff: noqa: RUF001 - the words of many scripts
"""Stop words: function words that say nothing of a text's subject.

The lists are our own. Those that packages offer were unfit: some hold a thousand words with subjects among them, some
are damaged in their encoding.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_NORWEGIAN = (
    "alle at av bare ble blir da de deg dei dem den denne der det dette di din du eg ein eit eller en er et for fra "
    "hadde han hans har henne hun hva hvor i ikke ikkje inn jeg kan man med meg men mer min mot nå når og også om opp "
    "oss over på seg sin skal skulle som så til ut var ved vi vil være vår"
)

# Words with a grammatical function alone, so that nothing is lost that someone may look for: the longer lists in
# circulation hold "area", "bill" and "system", and rank worse. A list is part of the analysis: change one, and what is
# stored no longer agrees with what is asked for. A language without a list keeps all its words; their idf is low.
STOP_WORDS: Final[Mapping[str, str]] = MappingProxyType({
    "ar": (
        "أن أو إذا إلى إن اذا الى ان او بعد بين تلك ثم حتى ذلك على عن عند في قبل قد كان كانت كل كما لا لم لن ما مع "
        "من هذا هذه هم هو هي و التي الذي الذين"
    ),
    "ca": (
        "a això al als amb aquell aquella aquest aquesta com de del dels des el els em en entre era et fins ha han "
        "hi ho i la les li lo més no o on pel pels per perquè però quan que qui se sense ser seu seus seva si sobre "
        "són també un una unes uns va és"
    ),
    "cs": (
        "a aby ale ani až bez by byl byla byli bylo být co do i jak jako je jeho jejich její jen jsem jsme jsou k "
        "kde kdo když ke která které který na nad ne nebo není o od on ona oni po pod pro při s se si tak také tedy "
        "ten to tom u už v ve z za ze že"
    ),
    "da": (
        "af alle at blev blive bliver da de dem den denne der deres det dette dig din dog du efter eller en er et "
        "for fra ham han hans har havde hende hun hvad hvis hvor i ikke ind jeg jer kan man med meget men mig min "
        "mod ned nu når og også om op os over på sig sin skal som til ud under var ved vi vil være"
    ),
    "de": (
        "aber als am an auch auf aus bei beim bin bis da damit dann das dass dein dem den denn der deren des dessen "
        "die dies diese diesem diesen dieser dieses doch dort du durch ein eine einem einen einer eines er es euch "
        "euer für gegen habe haben hat hatte hatten hier ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in ins ist "
        "ja jede jedem jeden jeder jedes kann kein keine keinem keinen keiner können man mein meine mich mir mit "
        "muss müssen nach nicht noch nur ob oder ohne sehr sein seine seinem seinen seiner sich sie sind so soll "
        "sollte über um und uns unser unter vom von vor war waren was weil wenn wer werden wie wir wird wo wurde "
        "wurden würde zu zum zur zwischen"
    ),
    "el": (
        "ο η το οι τα του της των τον την τη στο στη στην στον στα στις στους τις τους ένα ένας μια μία και κι ή να "
        "θα με σε για από αν ως ότι που πως δεν δε μη μην είναι ήταν αυτό αυτή αυτός αυτά αυτές αυτοί όπως όταν "
        "αλλά κατά μετά πολύ πιο τι μου σου μας σας"
    ),
    "en": (
        "a about above after again against all also am an and any are as at be because been before being below "
        "between both but by can cannot could did do does doing down during each few for from further had has have "
        "having he her here hers herself him himself his how i if in into is it its itself just may me might more "
        "most must my myself no nor not of off on once only or other our ours ourselves out over own same shall she "
        "should so some such than that the their theirs them themselves then there these they this those through to "
        "too under until up upon us very was we were what when where whether which while who whom whose why will "
        "with within without would you your yours yourself yourselves"
    ),
    "eo": "al ankaŭ aŭ de do el en estas ĝi ili ke kaj kun la li mi ne ni per por pri sed ŝi vi",
    "es": (
        "a al ante como con contra cual cuando de del desde donde durante e el él ella ellas ellos en entre era es "
        "esa esas ese eso esos esta está están estas este esto estos fue ha han hasta hay la las le les lo los más "
        "me mi mis muy ni no nos o os para pero por porque que qué quien se ser si sí sin sobre son su sus también "
        "te tu tus u un una unas uno unos y ya yo"
    ),
    "et": "aga ei et ja ka kas kui ma me mis nad ning oli on see ta te või",
    "eu": "baina bat da dira du dute edo ere eta ez zen ziren zuen",
    "fa": "آن از است اما این با باشد بر برای بود به تا در را شد شود که میشود هر هم و یا یک",
    "fi": (
        "ei eivät en et että he hän ja jo joka jos jotka kanssa koska kuin kun me mikä minä mitä mukaan mutta myös "
        "ne niin nyt olen oli olivat olla on ovat se sekä sen siitä sinä sitä tai te tuo tämä tämän vaan vai vaikka "
        "vain"
    ),
    "fr": (
        "a à ai au aux avec ce ces cet cette dans de des dont du elle elles en est et étaient était été être eux il "
        "ils je jusqu la le les leur leurs lorsqu lui ma mais me mes moi mon ne nos notre nous on ont ou où par pas "
        "pour puisqu qu que qui quoi sa sans se ses si son sont sous sur ta te tes toi ton tu un une vos votre vous "
        "y"
    ),
    "ga": "a ag agus an ar as de do go i is le na ní nó",
    "hi": (
        "अपने इन इस उन उस एक और कर का कि की के को जो तक तो था थी थे नहीं ने पर भी में यह या ये लिए वह वे साथ से ही "
        "है हैं हो होता होती होते"
    ),
    "hu": (
        "a abban ahogy aki akik amely amelyek ami amikor arra az azok azt be csak de e egy és ez ezek ezen ezt ha "
        "hanem hogy is itt ki le legyen lesz lett már még meg mert mi mint minden nem ő ők olyan ott pedig s sem "
        "szerint úgy vagy van vannak volt"
    ),
    "hy": "այդ այն այս բայց են է և մի որ ու",
    "id": (
        "ada adalah akan anda atau bisa dalam dan dapat dari dengan di dia ia ini itu juga kami karena ke kita "
        "mereka oleh pada saya sebagai sudah telah tidak untuk yang"
    ),
    "it": (
        "a ad agli ai al all alla alle allo anche che chi ci come con cui da dagli dai dal dall dalla dalle dallo "
        "degli dei del dell della delle dello di dove e è ed era gli ha hanno i il in io la le lei lo loro lui ma "
        "mi ne negli nei nel nell nella nelle nello noi non o per perché più può quale quando quell quella quelle "
        "quelli quello quest questa queste questi questo se si sia sono sua sue sugli sui sul sull sulla sulle "
        "sullo suo suoi ti tra tu un una uno vi voi"
    ),
    "lt": "ar bei bet buvo iki ir iš į kad kai kaip ne nuo o per po prie su tai tik už yra",
    "nb": _NORWEGIAN,
    "nl": (
        "aan al als bij dan dat de der deze die dit door een en er geen had heb hebben heeft het hij hoe hun ik in "
        "is je kan maar me met mijn naar niet nog nu of om onder ons ook op over te tot u uit van veel voor was wat "
        "we wel werd wie wij worden wordt zal ze zich zij zijn zo zonder zou"
    ),
    "nn": _NORWEGIAN,
    "no": _NORWEGIAN,
    "pl": (
        "a aby ale bez bo by być był była było były co czy dla do gdy gdzie go i ich im ja jak jako je jego jej "
        "jest już kiedy kto która które którego której który których którym lub ma mi mnie na nad nie nich niego o "
        "od on ona one oni oraz po pod przed przez przy się są ta tak także tam te tego tej ten to tu tych tylko "
        "tym u w we z za ze że żeby"
    ),
    "pt": (
        "a à ao aos as às até com como da das de dela delas dele deles do dos e é ela elas ele eles em entre era "
        "essa essas esse esses esta está estas este estes eu foi há isso isto já lhe lhes mais mas me mesmo meu "
        "minha muito na nas não nem no nos nós num numa o os ou para pela pelas pelo pelos por quando que quem se "
        "sem ser seu seus só sua suas também te tem um uma umas uns você"
    ),
    "ro": (
        "a ai al ale am ar are au ca că care ce cea cei cel cele cu cum da dar de decât deci din după e ea ei el "
        "ele era este eu fi fie fost i în între îi îl își la le lor lui mai mă ne nici noi nu o ori pe pentru prin "
        "sa să sau se si și şi sunt te tu un una unde unei unor unui va voi vor"
    ),
    "ru": (
        "а без более бы был была были было быть в вам вас во вот все всё вы где да даже для до его ее её если есть "
        "еще ещё же за и из или им их к как ко когда которая которые который ли мы на над не него нее неё нет ни "
        "них но ну о об он она они оно от по под при с со так также там те тем то того тоже только том ты у уже "
        "хотя чего чем что чтобы эта эти это этого этой этом этот я"
    ),
    "sr": (
        "a ali bi biti da do i ili iz je kao koja koje koji na ne o od ovo po sa se su to u za što а али би бити да "
        "до и или из је као која које који на не о од ово по са се су то у за што"
    ),
    "sv": (
        "alla att av blev bli blir de dem den denna deras dess det detta dig din du där då efter ej eller en er ett "
        "från för ha hade han hans har hon hur här i inte jag kan man med men mig min mot mycket ni nu när och om "
        "oss på samma sig sin sina så som till under upp ut utan vad var vem vi vid vilka vilken än är över"
    ),
    "tr": (
        "ama ancak bana bazı ben beni benim bir biz bu buna bunda bundan bunu bunun çok çünkü da daha de değil diye "
        "en gibi göre hem hep her hiç için ile ise ki kim mı mi mu mü nasıl ne neden o olan olarak oldu olduğu ona "
        "onlar onu onun sen siz şey şu tüm ve veya ya yani"
    ),
})  # fmt: skip
"""By language, separated by spaces."""
