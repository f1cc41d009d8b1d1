      * Records to compare layouts on. Names are unique over the file.
       01  A-DISPLAY.
           05  A-TEXT                  PIC X(10).
           05  A-LETTERS               PIC A(3).
           05  A-DIGITS                PIC 9(7).
           05  A-SIGNED                PIC S9(7)V99.
           05  A-SCALED                PIC SVP(3)9(4).
           05  A-THOUSANDS             PIC 9(4)P(3).
           05  A-LEADING               PIC S9(5) SIGN IS LEADING.
           05  A-APART                 PIC S9(5)V9
                                       SIGN TRAILING SEPARATE.
           05  A-APART-FIRST           PIC S9(5) SIGN LEADING SEPARATE
                                       CHARACTER.
           05                          PIC X(4).
           05  A-LAST                  PIC X.
       01  B-BINARY.
           05  B-2-BYTES               PIC S9(4) COMP.
           05  B-4-BYTES               PIC S9(5) COMP-4.
           05  B-4-MORE                PIC 9(9) BINARY.
           05  B-8-BYTES               PIC S9(10) COMP.
           05  B-8-MORE                PIC S9(16)V99 COMPUTATIONAL.
           05  B-1-DIGIT               PIC 9 COMP.
           05  B-NATIVE                PIC S9(4) COMP-5.
           05  B-NATIVE-8              PIC 9(18) COMP-5.
       01  C-PACKED.
           05  C-ODD                   PIC S9(7) COMP-3.
           05  C-EVEN                  PIC S9(8) COMP-3.
           05  C-ONE                   PIC 9 PACKED-DECIMAL.
           05  C-LONG                  PIC S9(16)V99
                                       COMPUTATIONAL-3.
           05  C-CENTS                 PIC V99 COMP-3.
       01  D-USAGE-OF-GROUP.
           05  D-NUMBERS COMP-3.
               10  D-ONE               PIC S9(5).
               10  D-TWO               PIC S9(6)V9.
           05  D-MORE USAGE IS BINARY.
               10  D-THREE             PIC S9(4).
               10  D-FOUR              PIC S9(9).
       01  E-TABLES.
           05  E-COUNTED               PIC 9(3) OCCURS 4 TIMES.
           05  E-ROW OCCURS 3.
               10  E-CELL OCCURS 5 TIMES.
                   15  E-KEY           PIC X(2).
                   15  E-VALUE         PIC S9(3) COMP-3.
               10  E-SUM               PIC S9(9) COMP.
           05  E-BEHIND                PIC X.
       01  F-VARIABLE.
           05  F-COUNT                 PIC S9(4) COMP.
           05  F-HEAD                  PIC X(6).
           05  F-ENTRY OCCURS 0 TO 20 TIMES DEPENDING ON F-COUNT.
               10  F-CODE              PIC X(3).
               10  F-AMOUNT            PIC S9(7)V99 COMP-3.
               10  F-FLAGS             PIC X OCCURS 2 TIMES.
       01  G-OVERLAYS.
           05  G-KIND                  PIC X.
           05  G-PERSON.
               10  G-FIRST             PIC X(10).
               10  G-LAST              PIC X(15).
           05  G-COMPANY REDEFINES G-PERSON.
               10  G-SIRET             PIC 9(14).
               10  G-SHORT             PIC X(6).
           05  G-WHOLE REDEFINES G-PERSON PIC X(25).
           05  G-BEHIND                PIC 9(2).
       01  H-OVERLAY-IN-TABLE.
           05  H-LINE OCCURS 3 TIMES.
               10  H-TYPE              PIC X.
               10  H-TEXT              PIC X(8).
               10  H-NUMBER REDEFINES H-TEXT PIC S9(15) COMP-3.
               10  H-TABLE REDEFINES H-TEXT.
                   15  H-PART          PIC 9(2) OCCURS 4 TIMES.
           05  H-END                   PIC X(2).
       01  I-ALIGNED.
           05  I-A                     PIC X.
           05  I-HALF                  PIC S9(4) COMP SYNC.
           05  I-B                     PIC X.
           05  I-FULL                  PIC S9(9) COMP SYNCHRONIZED.
           05  I-C                     PIC X(5).
           05  I-GROUP.
               10  I-D                 PIC X.
               10  I-DEEP              PIC S9(6) COMP SYNC.
           05  I-PACKED                PIC S9(3) COMP-3 SYNC.
           05  I-E                     PIC X.
       01  J-ALIGNED-TABLE.
           05  J-ROW OCCURS 4 TIMES.
               10  J-FULL              PIC S9(9) COMP SYNC.
               10  J-HALF              PIC S9(4) COMP SYNC.
               10  J-TEXT              PIC X(2).
           05  J-END                   PIC X.
       01  K-DEEP.
           02  K-1.
               03  K-2.
                   04  K-3.
                       05  K-4         PIC X(4).
                       05  K-5 OCCURS 2.
                           06  K-6 OCCURS 2.
                               07  K-7 PIC 9(3) COMP-3.
                   04  K-8             PIC X.
               03  K-9                 PIC S99.
       01  L-ELEMENTARY                PIC X(80).
       01  M-CONDITIONS.
           05  M-STATE                 PIC X.
               88  M-OPEN              VALUE 'O'.
               88  M-CLOSED            VALUE 'C' 'X' THRU 'Z'.
           05  M-LEVEL                 PIC 9(2) COMP.
               88  M-LOW               VALUES ARE 0 THRU 9.
           05  M-REST                  PIC X(3).
