      * Account inquiry: one record, in and out.
      * The caller fills the first five fields; the program answers
      * with the others, all computed from them.
       01  BK-INQUIRY.
           05  BK-FUNCTION             PIC X(4).
           05  BK-CUSTOMER-ID          PIC 9(10).
           05  BK-CALL-NUMBER          PIC 9(9) COMP.
           05  BK-WANTED               PIC 9(2).
           05  BK-NOTE                 PIC X(24).
           05  BK-RETURN-CODE          PIC S9(4) COMP.
               88  BK-DONE             VALUE 0.
               88  BK-NO-CUSTOMER      VALUE 4.
               88  BK-BAD-FUNCTION     VALUE -8.
               88  BK-TOO-MANY         VALUE -12.
               88  BK-SHORT-RECORD     VALUE -16.
           05  BK-NAME                 PIC X(20).
           05  BK-SEGMENT              PIC X.
               88  BK-PRIVATE          VALUE 'P'.
               88  BK-BUSINESS         VALUE 'B'.
           05  BK-BRANCH               PIC 9(5) COMP-3.
           05  BK-BALANCE              PIC S9(11)V99 COMP-3.
           05  BK-RATE                 PIC S9(3)V9(4)
                                       SIGN LEADING SEPARATE.
           05  BK-OVERDRAFT            PIC S9(7)V99.
           05  BK-SCORE                PIC S9(4) COMP-5.
           05  BK-STAMP                PIC 9(18) COMP-5.
           05  BK-OPENED-ON            PIC 9(8).
           05  FILLER                  PIC X(3).
           05  BK-CONTACT-KIND         PIC X.
               88  BK-BY-PHONE         VALUE 'P'.
               88  BK-BY-POST          VALUE 'M'.
           05  BK-PHONE.
               10  BK-PHONE-COUNTRY    PIC 9(3).
               10  BK-PHONE-NUMBER     PIC X(12).
               10  FILLER              PIC X(15).
           05  BK-POST REDEFINES BK-PHONE.
               10  BK-POST-STREET      PIC X(22).
               10  BK-POST-CODE        PIC X(5).
               10  BK-POST-FLOOR       PIC S9(5) COMP-3.
           05  BK-NB-ACCOUNTS          PIC S9(4) COMP.
           05  BK-ACCOUNT OCCURS 0 TO 20 TIMES
                                       DEPENDING ON BK-NB-ACCOUNTS.
               10  BK-ACCOUNT-NO       PIC X(8).
               10  BK-ACCOUNT-BALANCE  PIC S9(9)V99 COMP-3.
               10  BK-ACCOUNT-TYPE     PIC X.
                   88  BK-CURRENT      VALUE 'C'.
                   88  BK-SAVINGS      VALUE 'S'.
                   88  BK-LOAN         VALUE 'L'.
               10  BK-ACCOUNT-MOVE     PIC S9(7) COMP OCCURS 3 TIMES.
