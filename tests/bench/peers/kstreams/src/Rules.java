import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** The sample policy's two schemes, as in `tests/bench/peers/rules.py`. Amounts are fen. */
final class Rules {
    private static final String VILLAGE = "village_mutual_aid";
    private static final String SELF_PAY = "self_pay_assistance";
    private static final long VILLAGE_OVER = 200_000;
    private static final long VILLAGE_CAP = 1_000_000;
    private static final long SELF_PAY_YEAR_CAP = 10_000_000;
    private static final Set<String> SPECIFIC = Set.of("dibao", "tekun", "orphan", "severe_disability",
            "key_entitled_group", "dibao_edge", "special_hardship_worker", "serious_illness_hardship");

    /** The fields that the rules read, of all event types. */
    static final class Event {
        public String event_type, person_id, encounter_id, settlement_id, coverage_id;
        public long version;
        public String care_type, admitted_on, discharged_on, programme, category, valid_from, valid_to, died_on;
        public boolean isFinal;
        public BigDecimal copay, out_of_catalogue;

        @com.fasterxml.jackson.annotation.JsonProperty("final")
        public void setFinal(boolean given) {
            isFinal = given;
        }
    }

    static final class Discharge {
        public long version;
        public String admitted, discharged;
        public boolean inpatient;
    }

    static final class Bill {
        public long version, copay, outside;
        public boolean live, last;
    }

    static final class Coverage {
        public long version;
        public String programme, category, since, until;
    }

    static final class Paid {
        public long fen;
        public int revision;
    }

    /** A person's facts, newest versions only, and what was instructed. */
    static final class Account {
        public Map<String, Discharge> discharges = new HashMap<>();
        public Map<String, Map<String, Bill>> bills = new HashMap<>();
        public Map<String, Coverage> coverages = new HashMap<>();
        public Map<String, Paid> paid = new HashMap<>();
        public String died;
        public long diedVersion;
    }

    static final class Instruction {
        public final String event_type = "payout.instructed";
        public String payout_id, claim_id, person_id, scheme_id, kind, amount;
        public int revision;
    }

    static List<Instruction> take(Account account, Event event) {
        List<Instruction> instructions = new ArrayList<>();
        if (!apply(account, event)) {
            return instructions;
        }
        dues(account).forEach((name, due) -> {
            Paid paid = account.paid.get(name);
            if (due == (paid == null ? 0 : paid.fen)) {
                return;
            }
            if (paid == null) {
                paid = new Paid();
                account.paid.put(name, paid);
            }
            paid.revision++;
            int bar = name.lastIndexOf('|');
            Instruction each = new Instruction();
            each.claim_id = name.substring(0, bar);
            each.scheme_id = name.substring(bar + 1);
            each.person_id = event.person_id;
            each.payout_id = each.claim_id + "/" + each.scheme_id + "/" + paid.revision;
            each.kind = due > paid.fen ? "payment" : "recovery";
            each.amount = BigDecimal.valueOf(Math.abs(due - paid.fen), 2).toPlainString();
            each.revision = paid.revision;
            paid.fen = due;
            instructions.add(each);
        });
        return instructions;
    }

    /** Whether the event is newer than what was known. */
    private static boolean apply(Account account, Event event) {
        switch (event.event_type) {
            case "encounter.discharged": {
                Discharge known = account.discharges.get(event.encounter_id);
                if (known != null && known.version >= event.version) {
                    return false;
                }
                Discharge held = new Discharge();
                held.version = event.version;
                held.admitted = event.admitted_on;
                held.discharged = event.discharged_on;
                held.inpatient = event.care_type.equals("inpatient");
                account.discharges.put(event.encounter_id, held);
                return true;
            }
            case "settlement.posted":
            case "settlement.voided": {
                Map<String, Bill> bills = account.bills.computeIfAbsent(event.encounter_id, any -> new HashMap<>());
                Bill known = bills.get(event.settlement_id);
                if (known != null && known.version >= event.version) {
                    return false;
                }
                Bill held = new Bill();
                held.version = event.version;
                held.live = event.event_type.equals("settlement.posted");
                if (held.live) {
                    held.last = event.isFinal;
                    held.copay = event.copay.movePointRight(2).longValueExact();
                    held.outside = event.out_of_catalogue.movePointRight(2).longValueExact();
                }
                bills.put(event.settlement_id, held);
                return true;
            }
            case "coverage.recorded":
            case "coverage.voided": {
                Coverage known = account.coverages.get(event.coverage_id);
                if (known != null && known.version >= event.version) {
                    return false;
                }
                Coverage held = new Coverage();
                held.version = event.version;
                held.programme = event.programme;
                held.category = event.category;
                held.since = event.valid_from;
                held.until = event.valid_to;
                account.coverages.put(event.coverage_id, held);
                return true;
            }
            default:
                if (account.diedVersion >= event.version) {
                    return false;
                }
                account.diedVersion = event.version;
                account.died = event.died_on;
                return true;
        }
    }

    /** What is due for every claim of the person, by claim and scheme. */
    private static Map<String, Long> dues(Account account) {
        Map<String, Long> dues = new TreeMap<>();
        account.paid.keySet().forEach(name -> dues.put(name, 0L));
        Map<String, long[]> years = new HashMap<>();
        List<Map.Entry<String, Discharge>> claims = new ArrayList<>(account.discharges.entrySet());
        claims.sort(Comparator.comparing((Map.Entry<String, Discharge> each) -> each.getValue().discharged)
                .thenComparing(Map.Entry::getKey));
        for (Map.Entry<String, Discharge> claim : claims) {
            Discharge stay = claim.getValue();
            long copay = 0, outside = 0;
            boolean complete = false;
            for (Bill bill : account.bills.getOrDefault(claim.getKey(), Map.of()).values()) {
                copay += bill.copay;
                outside += bill.outside;
                complete |= bill.live && bill.last;
            }
            if (!complete || (account.died != null && stay.admitted.compareTo(account.died) > 0)) {
                continue;
            }
            boolean member = false;
            Set<String> categories = new HashSet<>();
            for (Coverage each : account.coverages.values()) {
                if (each.programme != null && each.since.compareTo(stay.discharged) <= 0
                        && (each.until == null || stay.discharged.compareTo(each.until) < 0)) {
                    member |= each.programme.equals(VILLAGE) && each.category.equals("member");
                    if (each.programme.equals(SELF_PAY)) {
                        categories.add(each.category);
                    }
                }
            }
            if (stay.inpatient && member && copay > VILLAGE_OVER) {
                dues.put(claim.getKey() + "|" + VILLAGE, Math.min(percent(30, copay - VILLAGE_OVER), VILLAGE_CAP));
            }
            int rate = rate(categories);
            if (rate > 0) {
                long[] year = years.computeIfAbsent(stay.discharged.substring(0, 4), any -> new long[2]);
                long due = percent(rate, year[0] + outside) - percent(rate, year[0]);
                due = Math.min(Math.min(due, outside), SELF_PAY_YEAR_CAP - year[1]);
                year[0] += outside;
                year[1] += due;
                dues.put(claim.getKey() + "|" + SELF_PAY, due);
            }
        }
        return dues;
    }

    private static int rate(Set<String> categories) {
        if (categories.stream().anyMatch(SPECIFIC::contains)) {
            return 80;
        }
        return categories.contains("ordinary") ? 60 : categories.contains("special") ? 50 : 0;
    }

    private static long percent(int rate, long fen) {
        return (2 * rate * fen + 100) / 200;
    }
}
